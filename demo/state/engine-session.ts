import {
  createKleinbild,
  type EngineInfo,
  type Kleinbild,
  KleinbildError,
  type KleinbildOptions,
  type LoadEvent,
} from "../../runtime/index.ts";
import type { ModelChoice } from "../studio-types.ts";
import { Observable } from "./observable.ts";

/** How it computes, whatever the model. */
export type ComputeOptions = Pick<KleinbildOptions, "backend" | "dtype" | "ortWasmUrl">;

export type EngineState =
  | { readonly status: "loading"; readonly progress: LoadEvent | undefined }
  | { readonly status: "ready"; readonly info: EngineInfo }
  /** Given up for something else, such as a benchmark; the next request opens it again. */
  | { readonly status: "closed" }
  | { readonly status: "failed"; readonly error: unknown };

interface Opening {
  readonly engine: Promise<Kleinbild>;
  readonly abort: AbortController;
}

export const KLEIN_NANO: ModelChoice = { id: "klein-nano", name: "klein-nano", options: {} };

/** The page's one engine: which model it has, and whether it is there. */
export class EngineSession extends Observable {
  #choice = KLEIN_NANO;
  /** The last choice that loaded: what there is to go back to. */
  #proven = KLEIN_NANO;
  #compute: ComputeOptions = {};
  #state: EngineState = { status: "closed" };
  #refusal: { readonly choice: ModelChoice; readonly error: unknown } | undefined;
  #opening: Opening | undefined;
  /** The end of the engines before: the next one waits for it, since the GPU may not have room for two. */
  #closing = Promise.resolve();
  readonly #create: typeof createKleinbild;

  constructor(create = createKleinbild) {
    super();
    this.#create = create;
  }

  get state(): EngineState {
    return this.#state;
  }

  get choice(): ModelChoice {
    return this.#choice;
  }

  /** What could not be opened last, and why; told until the next attempt, also when the model before is open again. */
  get refusal(): { readonly choice: ModelChoice; readonly error: unknown } | undefined {
    return this.#refusal;
  }

  /** Of the model that is loaded. */
  get info(): EngineInfo | undefined {
    return this.#state.status === "ready" ? this.#state.info : undefined;
  }

  /**
   * Opens a model in place of the one that is open. When it fails, the one before is opened again.
   *
   * @throws what it failed with; an `AbortError` when it gave way to something else
   */
  async open(choice: ModelChoice, compute: ComputeOptions = this.#compute): Promise<void> {
    this.#choice = choice;
    this.#compute = compute;
    this.#refusal = undefined;
    void this.close();
    const { engine, abort } = this.#begin();
    try {
      await engine;
    } catch (error) {
      if (abort.signal.aborted || choice === this.#proven) throw error;
      this.#choice = this.#proven;
      void this.close(); // somebody may have asked for the same in vain already
      this.#begin(); // its state says what becomes of it
      throw error;
    }
  }

  /**
   * The engine, opened when it is not; that of another model when it gives way to it meanwhile.
   *
   * @throws what loading fails with
   */
  async engine(): Promise<Kleinbild> {
    const { engine, abort } = this.#opening ?? this.#begin();
    try {
      return await engine;
    } catch (error) {
      if (abort.signal.aborted && this.#opening) return this.engine();
      throw error;
    }
  }

  /** Ends the engine, or its loading, and frees what it holds. */
  close(): Promise<void> {
    const opening = this.#opening;
    this.#opening = undefined;
    this.#set({ status: "closed" });
    opening?.abort.abort();
    const before = this.#closing;
    this.#closing = (async (): Promise<void> => {
      await before;
      const engine = await opening?.engine.catch(() => undefined);
      await engine?.dispose().catch(() => undefined); // what is dead cannot be ended in order
    })();
    return this.#closing;
  }

  /** To be told of a failed request: an engine that cannot go on is opened anew by the next one. */
  async reportFailure(error: unknown): Promise<void> {
    const isDead = error instanceof KleinbildError && ["worker-died", "disposed", "device-lost"].includes(error.code);
    if (isDead && this.#state.status === "ready") await this.close(); // else another one is on its way already
  }

  /** Reads memory and kept references again. */
  async refresh(): Promise<void> {
    const opening = this.#opening;
    const info = await (await opening?.engine)?.info();
    if (info && opening === this.#opening) this.#set({ status: "ready", info });
  }

  #begin(): Opening {
    const abort = new AbortController();
    const opening = { engine: this.#load(abort.signal), abort };
    opening.engine.catch(() => {}); // its state says so, and whoever waits for it
    this.#opening = opening;
    return opening;
  }

  async #load(signal: AbortSignal): Promise<Kleinbild> {
    this.#set({ status: "loading", progress: undefined });
    const choice = this.#choice;
    const compute = this.#compute;
    let engine: Kleinbild | undefined;
    try {
      await this.#closing;
      signal.throwIfAborted();
      engine = await this.#create({
        ...choice.options,
        ...compute,
        signal,
        onProgress: (progress) => {
          if (!signal.aborted) this.#set({ status: "loading", progress });
        },
      });
      const info = await engine.info();
      signal.throwIfAborted();
      this.#proven = choice;
      this.#set({ status: "ready", info });
      return engine;
    } catch (error) {
      await engine?.dispose().catch(() => undefined);
      if (!signal.aborted) {
        this.#opening = undefined; // the next request tries again
        this.#refusal = { choice, error };
        this.#set({ status: "failed", error });
      }
      throw error;
    }
  }

  #set(state: EngineState): void {
    this.#state = state;
    this.changed();
  }
}
