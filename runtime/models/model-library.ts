import type { LoadEvent } from "../events.ts";
import { openModel, type OpenModel } from "../weights/open-model.ts";
import type { StorageReport } from "../weights/store/store-backend.ts";
import type { Damage, ModelStore } from "../weights/store/model-store.ts";
import type { StoredModel } from "../weights/store/stored-model.ts";
import { type Availability, type AvailabilityOptions, judgeAvailability, type StoredState } from "./availability.ts";
import type { LibraryCall } from "./library-call.ts";
import type { ModelLocation } from "./model-location.ts";
import { missingBytes, sizeOf } from "./missing-files.ts";
import { isToBeKept, type PrepareOptions, prepareModel, storedIds, weightFileBytes } from "./prepare-model.ts";
import { storedSource } from "./stored-location.ts";

/** What a page's worker and Node have to offer. */
export interface LibraryPlatform<Location> {
  /** Undefined where there is none. */
  readonly gpu: GPU | undefined;
  /** Undefined where nothing can be kept. */
  readonly store: ModelStore | undefined;
  open(location: Location): ModelLocation | Promise<ModelLocation>;
}

/** What a model would take, and the models that are kept. */
export class ModelLibrary<Location> {
  readonly #platform: LibraryPlatform<Location>;

  constructor(platform: LibraryPlatform<Location>) {
    this.#platform = platform;
  }

  /** Answers a call that came as data. @throws KleinbildError `unsupported` where there is no store */
  async call(call: LibraryCall<Location>, signal: AbortSignal, onLoad: (event: LoadEvent) => void): Promise<unknown> {
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

  /** Whether a model can run here. Nothing but headers and configs is downloaded. */
  async availability(
    location: Location,
    options: AvailabilityOptions & PrepareOptions,
    signal?: AbortSignal,
  ): Promise<Availability> {
    const { store, gpu } = this.#platform;
    const place = await this.#platform.open(location);
    const { prepared } = storedIds(place, options);
    const isKept = place.storedId !== undefined || (await store?.find(prepared))?.complete === true;
    const source = isKept ? await storedSource(store, prepared) : place.source;
    try {
      const model = await openModel(source, { signal });
      return await judgeAvailability(model, await this.#stored(model, place, isKept, options, signal), gpu, options);
    } finally {
      await source.close();
    }
  }

  /** Brings a model into the store, whatever its size. @returns what is kept now; undefined for a model of this machine */
  async download(
    location: Location,
    options: PrepareOptions,
    signal?: AbortSignal,
    onLoad?: (event: LoadEvent) => void,
  ): Promise<StoredModel | undefined> {
    const { store } = this.#platform;
    const place = await this.#platform.open(location);
    const { prepared } = storedIds(place, options);
    const source = await prepareModel(store, place, { ...options, keep: "always" }, { signal, onLoad });
    await source.close();
    return store?.find(prepared);
  }

  async list(): Promise<readonly StoredModel[]> {
    return (await this.#platform.store?.list()) ?? [];
  }

  async storage(): Promise<StorageReport | undefined> {
    return this.#platform.store?.storage();
  }

  /** Hashes a stored model again; what is damaged is taken off it, and downloaded again when it is next asked for. */
  async verify(id: string, signal?: AbortSignal): Promise<readonly Damage[]> {
    return (await this.#platform.store?.verify(id, { signal })) ?? [];
  }

  async delete(id: string): Promise<void> {
    await this.#platform.store?.delete(id);
  }

  async #stored(
    model: OpenModel,
    place: ModelLocation,
    isKept: boolean,
    options: PrepareOptions,
    signal?: AbortSignal,
  ): Promise<StoredState> {
    const { quantization = "none", keep = "auto" } = options;
    const { store } = this.#platform;
    const storage = await this.storage();
    const { prepared: id } = storedIds(place, options);
    const none = { id, bytes: 0, peakBytes: 0 };
    if (isKept || !place.urlOf) return { downloadBytes: 0, store: none, storage };
    const read = weightFileBytes(model);
    if (!store || !isToBeKept(model, keep)) return { downloadBytes: read, store: none, storage };
    const isRepacked = quantization !== "none";
    const downloadBytes = await missingBytes(store, id, place.source, model, isRepacked, signal);
    if (!isRepacked) return { downloadBytes, store: { id, bytes: downloadBytes, peakBytes: downloadBytes }, storage };
    // packed parts and the original of the one that is being repacked; 8 and 4 bits with a scale for 32
    const packed = (read * (quantization === "q8" ? 8.5 : 4.5)) / 16;
    const originals = [];
    for (const { files } of Object.values(model.recognition.parts))
      originals.push(await sizeOf(place.source, files, signal));
    return { downloadBytes, store: { id, bytes: packed, peakBytes: packed + Math.max(...originals) }, storage };
  }
}
