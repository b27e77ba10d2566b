import type { EngineInfo } from "../engine/engine.ts";
import type { EngineOptions } from "../engine/engine-options.ts";
import { KleinbildError } from "../errors.ts";
import type { LoadEvent } from "../events.ts";
import type { GenerateRequest } from "../request/request.ts";
import { type EngineHandle, runEngineWork } from "./engine-handle.ts";
import { Generation } from "./generation.ts";

/** Options of `createKleinbild` in pages and in Node. */
export interface CommonOptions extends EngineOptions {
  /** Aborts the loading. */
  readonly signal?: AbortSignal | undefined;
  /** Called as weights arrive. */
  readonly onProgress?: ((event: LoadEvent) => void) | undefined;
}

/** An engine with a model loaded; `createKleinbild` makes one. Requests queue up, and each can be aborted. */
export class Kleinbild {
  readonly #handle: EngineHandle<never>;
  #disposed: Promise<void> | undefined;

  /** @internal Use `createKleinbild`. */
  private constructor(handle: EngineHandle<never>) {
    this.#handle = handle;
  }

  /** @internal Loads a model; closes the handle when that fails. */
  static async open<Options>(
    handle: EngineHandle<Options>,
    options: Options,
    { signal, onProgress }: CommonOptions,
  ): Promise<Kleinbild> {
    try {
      await runEngineWork(handle, { kind: "open", options }, { signal, onEvent: onProgress });
      return new Kleinbild(handle);
    } catch (error) {
      handle.close();
      throw error;
    }
  }

  /**
   * Starts a request, behind those that are running. The request runs whether or not anyone iterates over its events.
   *
   * ```ts
   * const { image } = await engine.generate({ prompt: "a fox", seed: 7 }).result;
   * img.src = URL.createObjectURL(await image.toBlob());
   * ```
   *
   * @param options.signal  aborts the request; its reason is what the generation fails with
   * @returns at once. The promises of the generation fail with the errors of the request: `invalid-request`, `invalid-image`, `over-budget`,
   * `out-of-memory`, `device-lost`, `not-finite`, `worker-died`
   * @throws KleinbildError `disposed`
   */
  generate(request: GenerateRequest, options: { readonly signal?: AbortSignal | undefined } = {}): Generation {
    this.#assertNotDisposed();
    return new Generation(this.#handle, request, options.signal);
  }

  /**
   * What is loaded, on which adapter, and how much GPU memory it takes.
   * @throws KleinbildError `disposed`, `worker-died`
   */
  async info(): Promise<EngineInfo> {
    this.#assertNotDisposed();
    return runEngineWork(this.#handle, { kind: "info" });
  }

  /**
   * Aborts what is running and frees everything, including the worker or process. Calling it again does nothing more.
   * @throws KleinbildError `worker-died` when the engine had already ended by itself
   */
  dispose(): Promise<void> {
    this.#disposed ??= runEngineWork(this.#handle, { kind: "dispose" }).finally(() => this.#handle.close());
    return this.#disposed;
  }

  /** `dispose`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  #assertNotDisposed(): void {
    if (this.#disposed) throw new KleinbildError("disposed", "This engine was disposed of; create another one.");
  }
}
