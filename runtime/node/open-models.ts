import { dawnGpu } from "./dawn.ts";
import { ModelLibrary } from "../models/model-library.ts";
import type { Models } from "../models/models.ts";
import { type NodeModel, openNodeLocation, openNodeStore } from "./location.ts";

/** Options of `openModels` in Node. */
export interface NodeModelsOptions {
  /** Folder of the store. Default: `kleinbild/models` in the user's cache folder. */
  readonly storeFolder?: string | undefined;
}

/**
 * Opens the store of models of this machine's user.
 *
 * ```ts
 * const models = openModels();
 * const { status, missing } = await models.availability("https://example.org/FLUX.2-klein-4B/");
 * if (status === "downloadable") await models.download("https://example.org/FLUX.2-klein-4B/", { quantization: "q4" });
 * ```
 */
export function openModels({ storeFolder }: NodeModelsOptions = {}): Models<NodeModel | undefined> {
  const store = openNodeStore(storeFolder);
  const library = async (): Promise<ModelLibrary<NodeModel | undefined>> =>
    new ModelLibrary({ gpu: await dawnGpu(), store, open: openNodeLocation });
  return {
    availability: async (model, { signal, ...options } = {}) => (await library()).availability(model, options, signal),
    download: async (model, { signal, onProgress, ...options } = {}) =>
      (await library()).download(model, options, signal, onProgress),
    list: () => store.list(),
    storage: () => store.storage(),
    verify: (id, options) => store.verify(id, options),
    delete: (id) => store.delete(id),
    dispose: async () => {},
  };
}
