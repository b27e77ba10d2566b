import type { LoadEvent } from "../events.ts";
import type { Damage } from "../weights/store/model-store.ts";
import type { StorageReport } from "../weights/store/store-backend.ts";
import type { StoredModel } from "../weights/store/stored-model.ts";
import type { Availability, AvailabilityOptions } from "./availability.ts";
import type { PrepareOptions } from "./prepare-model.ts";

export interface ModelsDownloadOptions extends PrepareOptions {
  /** What came stays for the next try. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: LoadEvent) => void) | undefined;
}

/** What a model would take here, and the models that are kept on this machine. */
export interface Models<Model> {
  /** Whether a model can run: `ready`, `downloadable` or `too-small`, with the plan of its memory. Reads its headers only. */
  availability(
    model: Model,
    options?: AvailabilityOptions & PrepareOptions & { readonly signal?: AbortSignal | undefined },
  ): Promise<Availability>;
  /**
   * Downloads a model, and repacks it where `quantization` says so, for engines to come.
   * @throws KleinbildError `storage-full` with `neededBytes` and `freeBytes`, `network`, `damaged`, or the signal's reason
   */
  download(model: Model, options?: ModelsDownloadOptions): Promise<StoredModel | undefined>;
  /** Kept models, last used first; with `complete: false` those of which something is missing. */
  list(): Promise<readonly StoredModel[]>;
  /** Undefined where nothing can be kept. */
  storage(): Promise<StorageReport | undefined>;
  /** Hashes a kept model again. What is damaged is taken off it, and comes again with the next download. */
  verify(id: string, options?: { readonly signal?: AbortSignal | undefined }): Promise<readonly Damage[]>;
  delete(id: string): Promise<void>;
  dispose(): Promise<void>;
}
