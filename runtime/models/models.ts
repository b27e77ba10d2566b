import type { LoadEvent } from "../events.ts";
import type { Damage } from "../weights/store/model-store.ts";
import type { StorageReport } from "../weights/store/store-backend.ts";
import type { StoredModel } from "../weights/store/stored-model.ts";
import type { Availability, AvailabilityOptions } from "./availability.ts";
import type { PrepareOptions } from "./prepare-model.ts";

/** Options of `Models.download`. */
export interface ModelsDownloadOptions extends PrepareOptions {
  /** Aborts the download. What has arrived stays in the store, and the next download continues it. */
  readonly signal?: AbortSignal | undefined;
  /** Called as bytes arrive, and as weights are repacked. */
  readonly onProgress?: ((event: LoadEvent) => void) | undefined;
}

/** Checks what a model needs on this machine, and manages the store of models; `openModels` opens it. */
export interface Models<Model> {
  /**
   * Checks before downloading whether a model can run: `ready`, `downloadable` or `too-small`, with a forecast of its GPU
   * memory. Reads only the headers of its files.
   * @throws KleinbildError `invalid-model`, `missing-file`, `network`, or the signal's reason
   */
  availability(
    model: Model,
    options?: AvailabilityOptions & PrepareOptions & { readonly signal?: AbortSignal | undefined },
  ): Promise<Availability>;
  /**
   * Downloads a model into the store, and repacks it if `quantization` asks for it. Engines created later use it.
   * @returns the stored model; undefined if its files are on this machine already, or if there is no store
   * @throws KleinbildError `storage-full` with `neededBytes` and `freeBytes`, `network`, `damaged`, or the signal's reason
   */
  download(model: Model, options?: ModelsDownloadOptions): Promise<StoredModel | undefined>;
  /** The stored models, last used first. Those with `complete: false` miss files. */
  list(): Promise<readonly StoredModel[]>;
  /** The space used and free; undefined if there is no store. */
  storage(): Promise<StorageReport | undefined>;
  /**
   * Compares a stored model with its checksums. Damaged files are removed, and the next download fetches them.
   * @returns what is damaged; empty if nothing is
   * @throws the signal's reason
   */
  verify(id: string, options?: { readonly signal?: AbortSignal | undefined }): Promise<readonly Damage[]>;
  /** Deletes a stored model. Does nothing if there is none of this id. */
  delete(id: string): Promise<void>;
  /** Ends the worker, if there is one. Stored models stay. */
  dispose(): Promise<void>;
}

/** A call of `Models` as plain data, which can cross to a worker. */
export type LibraryCall<Model> =
  | {
      readonly method: "availability";
      readonly model: Model;
      readonly options: AvailabilityOptions & PrepareOptions;
    }
  | { readonly method: "download"; readonly model: Model; readonly options: PrepareOptions }
  | { readonly method: "list" }
  | { readonly method: "storage" }
  | { readonly method: "verify"; readonly id: string }
  | { readonly method: "delete"; readonly id: string };
