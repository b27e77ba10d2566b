import { Engine } from "./engine.ts";
import { KleinbildError } from "./errors.ts";
import { BrowserImageCodec } from "./image/codec-browser.ts";
import { EngineHost, exposeEngine } from "./rpc.ts";
import { HttpSource } from "./weights/http-source.ts";
import type { WorkerEngineOptions } from "./client.ts";

/** The worker of a page: the engine, and nothing that touches the document. */
const host = new EngineHost<WorkerEngineOptions>(async ({ model, ortWasmUrl, ...options }, signal, onLoad) => {
  if (!("gpu" in navigator)) throw new KleinbildError("no-webgpu", "This browser has no WebGPU in workers.");
  const platform = { gpu: navigator.gpu, codec: new BrowserImageCodec(), ortWasmUrl };
  return Engine.create(platform, new HttpSource(model), options, { signal, onLoad });
});

exposeEngine(host);
