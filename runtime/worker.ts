/**
 * The worker in which a page's engine and model library run. It exports nothing. `createKleinbild` starts it, unless you pass
 * a worker of your own:
 *
 * @example
 * ```ts
 * const engine = await createKleinbild({
 *   createWorker: () => new Worker(new URL("kleinbild/worker", import.meta.url), { type: "module" }),
 * });
 * ```
 *
 * @module kleinbild/worker
 * @packageDocumentation
 */

import type { WorkerEngineOptions } from "./page/create-kleinbild.ts";
import { Engine, type Platform } from "./engine/engine.ts";
import { KleinbildError } from "./errors.ts";
import { BrowserImageCodec } from "./page/browser-image-codec.ts";
import { ModelLibrary } from "./models/model-library.ts";
import { openPageLocation, type PageModel } from "./models/page-location.ts";
import { prepareModel, type PrepareOptions } from "./models/prepare-model.ts";
import { openPageTuningStorage } from "./page/tuning-storage.ts";
import { exposeHost } from "./remote/comlink-port.ts";
import { EngineHost, pixelsToMove } from "./remote/engine-host.ts";
import { InMemoryBackend } from "./weights/store/in-memory-backend.ts";
import { ModelStore } from "./weights/store/model-store.ts";
import { OpfsBackend } from "./page/opfs-backend.ts";

/** The store of models. If the browser has no file system for it, it is in RAM when the models must be stored. */
async function openStore(keep?: PrepareOptions["keep"]): Promise<ModelStore | undefined> {
  if (await OpfsBackend.isSupported()) return new ModelStore(new OpfsBackend());
  return keep === "always" ? new ModelStore(new InMemoryBackend()) : undefined;
}

/** The engine and the model library. Nothing here touches the document. */
const host = new EngineHost<WorkerEngineOptions>(
  async ({ model, ortWasmUrl, keep, evict, ...options }, signal, onLoad) => {
    if (!("gpu" in navigator)) throw new KleinbildError("no-webgpu", "This browser has no WebGPU in workers.");
    const { quantization, quantizationMethod } = options;
    const prepare = { quantization, quantizationMethod, keep, evict };
    const source = await prepareModel(await openStore(keep), openPageLocation(model), prepare, { signal, onLoad });
    const codec = new BrowserImageCodec();
    const platform: Platform = { gpu: navigator.gpu, codec, ortWasmUrl, tuningCache: openPageTuningStorage() };
    return Engine.create(platform, source, options, { signal, onLoad });
  },
  async (call, signal, onLoad) => {
    const gpu = "gpu" in navigator ? navigator.gpu : undefined;
    const library = new ModelLibrary<PageModel>({ gpu, store: await openStore(), open: openPageLocation });
    return library.call(call, signal, onLoad);
  },
);

exposeHost(host, pixelsToMove);
