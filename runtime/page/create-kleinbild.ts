import { KLEIN_NANO } from "../models/bundled-model.ts";
import type { EngineOptions } from "../engine/engine-options.ts";
import { type CommonOptions, Kleinbild } from "../remote/kleinbild.ts";
import type { PageModel } from "../models/page-location.ts";
import type { PrepareOptions } from "../models/prepare-model.ts";
import { type ModelInput, resolveModel, resolveUrl, startWorker, workerHandle } from "./start-worker.ts";

/** Options of an engine in a page. */
export interface KleinbildOptions extends CommonOptions, Pick<PrepareOptions, "keep" | "evict"> {
  /** Default: klein-nano, which is part of the package. */
  readonly model?: ModelInput | undefined;
  /** Address of onnxruntime's wasm file. Default: where the bundler placed it. */
  readonly ortWasmUrl?: string | URL | undefined;
  /** Makes the worker, which must run `kleinbild/worker`. Default: the worker beside this module. */
  readonly createWorker?: (() => Worker) | undefined;
}

/** The options as they cross to the worker. */
export interface WorkerEngineOptions extends EngineOptions, Pick<PrepareOptions, "keep" | "evict"> {
  readonly model: PageModel;
  readonly ortWasmUrl?: string | undefined;
}

/**
 * Starts a worker and loads a model in it.
 *
 * ```ts
 * const engine = await createKleinbild({ model: "/weights/klein-4b/", onProgress: (event) => show(event) });
 * const { image } = await engine.generate({ prompt: "a fox on a teal background", seed: 7 }).result;
 * img.src = URL.createObjectURL(await image.toBlob());
 * ```
 *
 * @throws KleinbildError `no-webgpu`, `missing-file`, `invalid-model`, `invalid-request` (for an option), `network`,
 * `damaged`, `storage-full`, `over-budget`, `out-of-memory` or `worker-died`, or the reason of `signal`
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
