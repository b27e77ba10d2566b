import { runEngineWork } from "../remote/engine-handle.ts";
import type { LoadEvent } from "../events.ts";
import type { LibraryCall } from "../models/models.ts";
import type { Models } from "../models/models.ts";
import type { PageModel } from "../models/page-location.ts";
import { type ModelInput, resolveModel, startWorker, workerHandle } from "./start-worker.ts";

/** Options of `openModels` in a page. */
export interface ModelsOptions {
  /** Makes the worker, which must run `kleinbild/worker`. Default: the worker beside this module. */
  readonly createWorker?: (() => Worker) | undefined;
}

/**
 * Opens the store of models of this page's origin, in a worker of its own.
 *
 * ```ts
 * const models = openModels();
 * const { status, missing } = await models.availability("/weights/klein-4b/");
 * if (status === "downloadable") await models.download("/weights/klein-4b/", { onProgress: (event) => show(event) });
 * ```
 */
export function openModels({ createWorker = startWorker }: ModelsOptions = {}): Models<ModelInput> {
  const handle = workerHandle<never>(createWorker());
  /** @returns what ModelLibrary.call returns for the method */
  const call = async <Result>(
    request: LibraryCall<PageModel>,
    signal?: AbortSignal,
    onProgress?: (event: LoadEvent) => void,
  ): Promise<Result> => {
    const work = { kind: "library", call: request as LibraryCall<never> } as const;
    return (await runEngineWork(handle, work, { signal, onEvent: onProgress })) as Result;
  };
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
