import type { EngineEvent, EngineInfo } from "../engine/engine.ts";
import type { EngineOptions } from "../engine/engine-options.ts";
import { KleinbildError } from "../errors.ts";
import type { LoadEvent, RunEvent, RunReport } from "../events.ts";
import { GeneratedImage } from "../image/generated.ts";
import { drain, type EngineHandle, nextId } from "./engine-handle.ts";
import { isErrorEnvelope, type Pulled, unpackError } from "./rpc.ts";
import type { GenerateRequest } from "../request/request.ts";

export interface CommonOptions extends EngineOptions {
  /** Aborts the loading. */
  readonly signal?: AbortSignal | undefined;
  /** Called as weights arrive. */
  readonly onProgress?: ((event: LoadEvent) => void) | undefined;
}

/** A picture and how it came about. */
export interface GenerateResult {
  readonly image: GeneratedImage;
  readonly report: RunReport;
}

/** One of the request's pictures is done. */
export interface ResultEvent extends GenerateResult {
  readonly type: "result";
  /** Which of them, from 0. */
  readonly result: number;
}

export type GenerateEvent = RunEvent | ResultEvent;

/** An engine with a model loaded. Requests queue; each can be aborted. */
export class Kleinbild {
  readonly #handle: EngineHandle<never>;
  #disposed: Promise<void> | undefined;

  /** @internal Use `createKleinbild`. */
  private constructor(handle: EngineHandle<never>) {
    this.#handle = handle;
  }

  /** @internal Loads the model that `options` name; the engine is closed again when that fails. */
  static async open<Options>(
    handle: EngineHandle<Options>,
    options: Options,
    common: CommonOptions,
  ): Promise<Kleinbild> {
    const { signal, onProgress } = common;
    try {
      signal?.throwIfAborted();
      const id = nextId();
      await Promise.race([handle.remote.open(id, options), handle.died]);
      await drain(
        handle,
        id,
        signal,
        () => handle.remote.nextLoad(id),
        (event) => onProgress?.(event),
      );
      return new Kleinbild(handle);
    } catch (error) {
      handle.close();
      throw error;
    }
  }

  /**
   * Starts a request, behind those that are running. The returned object is an async iterable of events, pictures among
   * them; `result` settles when the first picture is done and `results` when all are, whether or not anyone iterates.
   */
  generate(request: GenerateRequest, { signal }: { readonly signal?: AbortSignal | undefined } = {}): Generation {
    if (this.#disposed) throw new KleinbildError("disposed", "This engine was disposed of; create another one.");
    return new Generation(this.#handle, request, signal);
  }

  /** What is loaded, on which adapter, with how much memory. */
  async info(): Promise<EngineInfo> {
    if (this.#disposed) throw new KleinbildError("disposed", "This engine was disposed of; create another one.");
    const info = await Promise.race([this.#handle.remote.info(), this.#handle.died]);
    if (isErrorEnvelope(info)) throw unpackError(info);
    return info;
  }

  /** Aborts what is running and frees everything, the worker or process included. */
  dispose(): Promise<void> {
    this.#disposed ??= (async (): Promise<void> => {
      try {
        await Promise.race([this.#handle.remote.dispose(), this.#handle.died]);
      } finally {
        this.#handle.close();
      }
    })();
    return this.#disposed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}

/** A request under way: an async iterable of its events, and the promises of its pictures. */
export class Generation implements AsyncIterable<GenerateEvent> {
  /** The first picture. */
  readonly result: Promise<GenerateResult>;
  /** All pictures, as many as `results` of the request. */
  readonly results: Promise<readonly GenerateResult[]>;
  readonly #events: GenerateEvent[] = [];
  #wake = (): void => {};
  #settled = false;

  /** @internal */
  constructor(handle: EngineHandle<never>, request: GenerateRequest, signal: AbortSignal | undefined) {
    let resolveFirst!: (result: GenerateResult) => void;
    const first = new Promise<GenerateResult>((resolve) => (resolveFirst = resolve));
    this.results = this.#run(handle, request, signal, resolveFirst);
    this.result = Promise.race([first, this.results.then(([result]) => result!)]);
    // an iteration throws the same error, so results that nobody awaits are no unhandled rejections
    this.results.catch(() => {});
    this.result.catch(() => {});
  }

  /** All events from the first on; throws what the request fails with. */
  async *[Symbol.asyncIterator](): AsyncGenerator<GenerateEvent, void> {
    for (let i = 0; ; i++) {
      while (i >= this.#events.length && !this.#settled)
        await new Promise<void>((resolve) => {
          const others = this.#wake;
          this.#wake = (): void => {
            others();
            resolve();
          };
        });
      if (i >= this.#events.length) break;
      yield this.#events[i]!;
    }
    await this.results;
  }

  async #run(
    handle: EngineHandle<never>,
    request: GenerateRequest,
    signal: AbortSignal | undefined,
    onFirst: (result: GenerateResult) => void,
  ): Promise<readonly GenerateResult[]> {
    const results: GenerateResult[] = [];
    try {
      signal?.throwIfAborted();
      const id = nextId();
      await Promise.race([handle.remote.generate(id, await withoutBlobs(request)), handle.died]);
      const next = (): Promise<Pulled<EngineEvent, void>> | Pulled<EngineEvent, void> => handle.remote.nextEvent(id);
      await drain(handle, id, signal, next, (event) => {
        if (event.type !== "result") return this.#add(event);
        const { image: pixels, metadata, ...rest } = event;
        const picture = { ...rest, image: new GeneratedImage(pixels, metadata, handle.codec) };
        results.push(picture);
        if (results.length === 1) onFirst(picture);
        this.#add(picture);
      });
      return results;
    } finally {
      this.#settled = true;
      this.#wake();
    }
  }

  #add(event: GenerateEvent): void {
    this.#events.push(event);
    const wake = this.#wake;
    this.#wake = (): void => {};
    wake();
  }
}

/** A request that crosses to a child process as well, where Blobs do not. What is wrong with it is the engine's to say. */
async function withoutBlobs(request: GenerateRequest): Promise<GenerateRequest> {
  const crossing: Record<string, unknown> = { ...request };
  const bytes = (value: unknown): unknown => (value instanceof Blob ? value.arrayBuffer() : value);
  if (Array.isArray(request.references)) crossing["references"] = await Promise.all(request.references.map(bytes));
  if (Array.isArray(request.loras))
    crossing["loras"] = await Promise.all(
      request.loras.map(async (lora: unknown) =>
        typeof lora === "object" && lora !== null && "data" in lora ? { ...lora, data: await bytes(lora.data) } : lora,
      ),
    );
  return crossing as unknown as GenerateRequest;
}
