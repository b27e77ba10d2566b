import { KleinbildError } from "../../errors.ts";
import type { Kleinbild } from "../../remote/kleinbild.ts";

/**
 * Keeps the engine that was used last, and makes another when other weights are asked for: two sets of weights would
 * hardly fit one GPU. Uses queue up.
 */
export class EngineSlot<Source extends object> {
  readonly #create: (source: Source, signal: AbortSignal) => Promise<Kleinbild>;
  readonly #disposing = new AbortController();
  #current: { readonly source: Source; readonly engine: Kleinbild } | undefined;
  /** The end of the use before. */
  #last: Promise<unknown> = Promise.resolve();

  /** @param create  loads the weights of a source */
  constructor(create: (source: Source, signal: AbortSignal) => Promise<Kleinbild>) {
    this.#create = create;
  }

  /** Runs `use` with the engine for `source`, when the uses before it are over. @throws what loading or `use` throws */
  async use<T>(source: Source, signal: AbortSignal | undefined, use: (engine: Kleinbild) => Promise<T>): Promise<T> {
    const run = this.#last.then(async () => {
      signal?.throwIfAborted();
      const engine = await this.#engine(source, signal);
      try {
        return await use(engine);
      } catch (error) {
        if (error instanceof KleinbildError && (error.code === "worker-died" || error.code === "device-lost"))
          await this.#drop();
        throw error;
      }
    });
    this.#last = run.catch(() => {});
    return run;
  }

  /** Ends what runs and frees the engine. */
  async dispose(): Promise<void> {
    this.#disposing.abort(new KleinbildError("disposed", "The task runner was disposed of."));
    const engine = this.#current?.engine;
    this.#current = undefined;
    await engine?.dispose();
    await this.#last;
  }

  async #engine(source: Source, signal: AbortSignal | undefined): Promise<Kleinbild> {
    if (this.#current?.source === source) return this.#current.engine;
    await this.#drop();
    const signals = [this.#disposing.signal, ...(signal ? [signal] : [])];
    const engine = await this.#create(source, AbortSignal.any(signals));
    this.#current = { source, engine };
    return engine;
  }

  async #drop(): Promise<void> {
    const engine = this.#current?.engine;
    this.#current = undefined;
    await engine?.dispose().catch(() => {}); // a dead one cannot be ended in order
  }
}
