import { KleinbildError } from "../../errors.ts";
import type { Kleinbild } from "../../remote/kleinbild.ts";

/**
 * Holds one engine: the one that was used last. A use with other weights replaces it, because few GPUs have memory for two
 * models. Uses queue up.
 */
export class EngineSlot<Source extends object> {
  readonly #create: (source: Source, signal: AbortSignal) => Promise<Kleinbild>;
  readonly #disposing = new AbortController();
  #current: { readonly source: Source; readonly engine: Kleinbild } | undefined;
  /** Settles when the last use has ended. */
  #last: Promise<unknown> = Promise.resolve();

  /** @param create  loads the weights of a source */
  constructor(create: (source: Source, signal: AbortSignal) => Promise<Kleinbild>) {
    this.#create = create;
  }

  /**
   * Runs `use` with the engine of `source`, after all earlier uses.
   * @param source  compared by identity
   * @throws what loading or `use` throws
   */
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

  /** Aborts all uses and frees the engine. */
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
    await engine?.dispose().catch(() => {}); // a dead engine cannot be disposed of
  }
}
