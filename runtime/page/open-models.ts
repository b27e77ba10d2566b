import { drain, type EngineHandle, nextId } from "../remote/engine-handle.ts";
import type { LoadEvent } from "../events.ts";
import { BrowserImageCodec } from "./browser-image-codec.ts";
import type { LibraryCall } from "../models/library-call.ts";
import type { Models } from "../models/models.ts";
import type { PageModel } from "../models/page-location.ts";
import { type ModelInput, resolveModel, startWorker, workerDeath } from "./start-worker.ts";
import { wrapEngine } from "../remote/rpc.ts";

export interface ModelsOptions {
  /** Makes the worker, as for `createKleinbild`. */
  readonly createWorker?: (() => Worker) | undefined;
}

/** Opens the library of models of this page's origin. It works in a worker of its own, beside engines. */
export function openModels({ createWorker = startWorker }: ModelsOptions = {}): Models<ModelInput> {
  const worker = createWorker();
  const remote = wrapEngine<never>(worker);
  const handle = { remote, codec: new BrowserImageCodec(), died: workerDeath(worker), close: () => worker.terminate() };
  const call = <Result>(
    what: LibraryCall<PageModel>,
    signal?: AbortSignal,
    onProgress?: (event: LoadEvent) => void,
  ): Promise<Result> => callLibrary<Result>(handle, what, signal, onProgress);
  return {
    availability: (model, { signal, ...options } = {}) =>
      call({ method: "availability", model: resolveModel(model), options }, signal),
    download: (model, { signal, onProgress, ...options } = {}) =>
      call({ method: "download", model: resolveModel(model), options }, signal, onProgress),
    list: () => call({ method: "list" }),
    storage: () => call({ method: "storage" }),
    verify: (id, { signal } = {}) => call({ method: "verify", id }, signal),
    delete: (id) => call({ method: "delete", id }),
    dispose: async () => handle.close(),
  };
}

async function callLibrary<Result>(
  handle: EngineHandle<never>,
  call: LibraryCall<PageModel>,
  signal?: AbortSignal,
  onProgress?: (event: LoadEvent) => void,
): Promise<Result> {
  signal?.throwIfAborted();
  const id = nextId();
  await Promise.race([handle.remote.call(id, call as LibraryCall<never>), handle.died]);
  const next = () => handle.remote.nextCall(id);
  return (await drain(handle, id, signal, next, (event: LoadEvent) => onProgress?.(event))) as Result;
}
