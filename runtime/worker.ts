import type { WorkerEngineOptions } from "./client.ts";
import { Engine } from "./engine.ts";
import { KleinbildError } from "./errors.ts";
import { BrowserImageCodec } from "./image/codec-browser.ts";
import { ModelLibrary } from "./models/model-library.ts";
import { openPagePlace, type PageModel } from "./models/page-place.ts";
import { prepareModel, type PrepareOptions } from "./models/prepare-model.ts";
import { openPageMemory } from "./page-memory.ts";
import { EngineHost, exposeEngine } from "./rpc.ts";
import { MemoryBackend } from "./weights/store/memory-backend.ts";
import { ModelStore } from "./weights/store/model-store.ts";
import { OpfsBackend } from "./weights/store/opfs-backend.ts";

/** Where models are kept; where the browser has no place for them, in memory if they must be. */
async function openStore(keep?: PrepareOptions["keep"]): Promise<ModelStore | undefined> {
  if (await OpfsBackend.isSupported()) return new ModelStore(new OpfsBackend());
  return keep === "always" ? new ModelStore(new MemoryBackend()) : undefined;
}

/** The worker of a page: the engine and the model library, and nothing that touches the document. */
const host = new EngineHost<WorkerEngineOptions>(
  async ({ model, ortWasmUrl, keep, evict, ...options }, signal, onLoad) => {
    if (!("gpu" in navigator)) throw new KleinbildError("no-webgpu", "This browser has no WebGPU in workers.");
    const { quantization, quantizationMethod } = options;
    const prepare = { quantization, quantizationMethod, keep, evict };
    const source = await prepareModel(await openStore(keep), openPagePlace(model), prepare, { signal, onLoad });
    const codec = new BrowserImageCodec();
    const platform = { gpu: navigator.gpu, codec, ortWasmUrl, memory: openPageMemory() };
    return Engine.create(platform, source, options, { signal, onLoad });
  },
  async (call, signal, onLoad) => {
    const gpu = "gpu" in navigator ? navigator.gpu : undefined;
    const library = new ModelLibrary<PageModel>({ gpu, store: await openStore(), open: openPagePlace });
    return library.call(call, signal, onLoad);
  },
);

exposeEngine(host);
