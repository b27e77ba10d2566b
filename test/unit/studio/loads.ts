import type { createKleinbild, GenerateRequest, Kleinbild, KleinbildOptions } from "../../../runtime/index.ts";
import { type Deferred, deferred, untilAborted } from "../../support/deferred.ts";

/** Engines that load on request of the test, and record calls. */
export class Loads {
  readonly log: string[] = [];
  #end: Deferred<Error | undefined> = deferred();
  #started = deferred();
  #asked = deferred();

  readonly create = (async ({ model = "nano", signal }: KleinbildOptions): Promise<Kleinbild> => {
    const name = typeof model === "string" ? model : "files";
    this.log.push(`load ${name}`);
    this.#end = deferred();
    this.#started.resolve();
    const failure = await Promise.race([this.#end.promise, untilAborted(signal)]);
    if (failure) throw failure;
    return {
      name,
      info: async () => ({ model: { name } }),
      generate: (request: GenerateRequest, options: { readonly signal: AbortSignal }) =>
        this.#generate(name, request, options.signal),
      dispose: async () => void this.log.push(`dispose ${name}`),
    } as unknown as Kleinbild;
  }) as typeof createKleinbild;

  /** When the next load has begun. */
  async next(): Promise<void> {
    await this.#started.promise;
    this.#started = deferred();
  }

  /** Resolves when a picture is requested. */
  asked(): Promise<void> {
    return this.#asked.promise;
  }

  /** Has the next load end. */
  async end(failure?: Error): Promise<void> {
    await this.next();
    this.#end.resolve(failure);
  }

  /** A request that goes on until it is aborted. */
  async *#generate(engine: string, { prompt }: GenerateRequest, signal: AbortSignal): AsyncGenerator {
    this.log.push(`${engine}: ${prompt}`);
    this.#asked.resolve();
    this.#asked = deferred();
    yield await untilAborted(signal);
  }
}
