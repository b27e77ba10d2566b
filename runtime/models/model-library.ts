import type { LoadEvent } from "../events.ts";
import { openModel, type OpenModel } from "../weights/open-model.ts";
import type { StorageReport } from "../weights/store/store-backend.ts";
import type { Damage, ModelStore } from "../weights/store/model-store.ts";
import type { StoredModel } from "../weights/store/stored-model.ts";
import { type Availability, type AvailabilityOptions, judgeAvailability, type StoredState } from "./availability.ts";
import { missingBytes, sizeOf } from "./missing-files.ts";
import { type ModelLocation, storedSource } from "./model-location.ts";
import type { LibraryCall } from "./models.ts";
import { isToBeKept, type PrepareOptions, prepareModel, storedIds, weightFileBytes } from "./prepare-model.ts";

/** What differs between a page's worker and Node. */
export interface LibraryPlatform<Model> {
  /** Undefined if there is no WebGPU. */
  readonly gpu: GPU | undefined;
  /** Undefined if nothing can be stored. */
  readonly store: ModelStore | undefined;
  open(model: Model): ModelLocation | Promise<ModelLocation>;
}

/** What `Models` does, on either platform. */
export class ModelLibrary<Model> {
  readonly #platform: LibraryPlatform<Model>;

  constructor(platform: LibraryPlatform<Model>) {
    this.#platform = platform;
  }

  /** Does a call that came as data. @returns what the method of `Models` resolves with */
  async call(call: LibraryCall<Model>, signal: AbortSignal, onLoad: (event: LoadEvent) => void): Promise<unknown> {
    switch (call.method) {
      case "availability":
        return this.availability(call.model, call.options, signal);
      case "download":
        return this.download(call.model, call.options, signal, onLoad);
      case "list":
        return this.list();
      case "storage":
        return this.storage();
      case "verify":
        return this.verify(call.id, signal);
      case "delete":
        return this.delete(call.id);
      default:
        return call satisfies never;
    }
  }

  async availability(
    model: Model,
    options: AvailabilityOptions & PrepareOptions,
    signal?: AbortSignal,
  ): Promise<Availability> {
    const { store, gpu } = this.#platform;
    const location = await this.#platform.open(model);
    const { prepared } = storedIds(location, options);
    const isStored = location.storedId !== undefined || (await store?.find(prepared))?.complete === true;
    const source = isStored ? await storedSource(store, prepared) : location.source;
    try {
      const opened = await openModel(source, { signal });
      const state = isStored ? await this.#idle(prepared) : await this.#toBeStored(opened, location, options, signal);
      return await judgeAvailability(opened, state, gpu, options);
    } finally {
      await source.close();
    }
  }

  async download(
    model: Model,
    options: PrepareOptions,
    signal?: AbortSignal,
    onLoad?: (event: LoadEvent) => void,
  ): Promise<StoredModel | undefined> {
    const { store } = this.#platform;
    const location = await this.#platform.open(model);
    const { prepared } = storedIds(location, options);
    const source = await prepareModel(store, location, { ...options, keep: "always" }, { signal, onLoad });
    await source.close();
    return store?.find(prepared);
  }

  async list(): Promise<readonly StoredModel[]> {
    return (await this.#platform.store?.list()) ?? [];
  }

  async storage(): Promise<StorageReport | undefined> {
    return this.#platform.store?.storage();
  }

  async verify(id: string, signal?: AbortSignal): Promise<readonly Damage[]> {
    return (await this.#platform.store?.verify(id, { signal })) ?? [];
  }

  async delete(id: string): Promise<void> {
    await this.#platform.store?.delete(id);
  }

  /** The state of a model that neither downloads nor stores anything. */
  async #idle(id: string, downloadBytes = 0): Promise<StoredState> {
    return { downloadBytes, store: { id, bytes: 0, peakBytes: 0 }, storage: await this.storage() };
  }

  async #toBeStored(
    model: OpenModel,
    location: ModelLocation,
    options: PrepareOptions,
    signal?: AbortSignal,
  ): Promise<StoredState> {
    const { quantization = "none", keep = "auto" } = options;
    const { store } = this.#platform;
    const { prepared: id } = storedIds(location, options);
    if (!location.urlOf) return this.#idle(id);
    const read = weightFileBytes(model);
    if (!store || !isToBeKept(model, keep)) return this.#idle(id, read);
    const storage = await this.storage();
    const isRepacked = quantization !== "none";
    const downloadBytes = await missingBytes({ store, id, source: location.source, model, isRepacked, signal });
    if (!isRepacked) return { downloadBytes, store: { id, bytes: downloadBytes, peakBytes: downloadBytes }, storage };
    // while a part is repacked, its original is in the store too; blocks of 32 codes have one 16-bit scale
    const packed = (read * (quantization === "q8" ? 8.5 : 4.5)) / 16;
    const originals = [];
    for (const { files } of Object.values(model.recognition.parts))
      originals.push(await sizeOf(location.source, files, signal));
    return { downloadBytes, store: { id, bytes: packed, peakBytes: packed + Math.max(...originals) }, storage };
  }
}
