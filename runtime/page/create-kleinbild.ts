import { KLEIN_NANO } from "../models/bundled-model.ts";
import type { EngineOptions } from "../engine/engine-options.ts";
import { type CommonOptions, Kleinbild } from "../remote/kleinbild.ts";
import type { PageModel } from "../models/page-location.ts";
import type { PrepareOptions } from "../models/prepare-model.ts";
import { type ModelInput, resolveModel, resolveUrl, startWorker, workerHandle } from "./start-worker.ts";

/** Options of an engine in a page. */
export interface KleinbildOptions extends CommonOptions, Pick<PrepareOptions, "keep" | "evict"> {
  /**
   * Address of a folder in diffusers layout, or of each of its files by path (relative ones are relative to the page), or
   * files that the user picked or dropped, or `stored:` and the id of a model that `openModels` lists. Default: klein-nano, which the package carries.
   */
  readonly model?: ModelInput | undefined;
  /** Address of onnxruntime's wasm file, where the bundler does not take care of it. */
  readonly ortWasmUrl?: string | URL | undefined;
  /** Makes the worker, for pages whose bundler or policy needs its own way; it must run `kleinbild/worker`. */
  readonly createWorker?: (() => Worker) | undefined;
}

/** What goes to the worker. */
export interface WorkerEngineOptions extends EngineOptions, Pick<PrepareOptions, "keep" | "evict"> {
  readonly model: PageModel;
  readonly ortWasmUrl?: string | undefined;
}

/**
 * Starts a worker and loads a model in it.
 *
 * @throws KleinbildError, or the reason of `signal`
 */
export async function createKleinbild(options: KleinbildOptions = {}): Promise<Kleinbild> {
  const { model = KLEIN_NANO, ortWasmUrl, createWorker = startWorker, signal, onProgress, ...engineOptions } = options;
  signal?.throwIfAborted();
  const workerOptions: WorkerEngineOptions = {
    ...engineOptions,
    model: resolveModel(model),
    ortWasmUrl: ortWasmUrl === undefined ? undefined : resolveUrl(ortWasmUrl),
  };
  return Kleinbild.open(workerHandle(createWorker()), workerOptions, { signal, onProgress });
}
