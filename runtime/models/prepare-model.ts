import { KleinbildError } from "../errors.ts";
import type { LoadEvent, ModelPart } from "../events.ts";
import { WEIGHT_PARTS, type WeightPart } from "../weights/inventory.ts";
import type { Quantization } from "../weights/loader/weight-loader.ts";
import { type OpenModel, openModel } from "../weights/open-model.ts";
import type { QuantizationMethod } from "../weights/quantize.ts";
import { repackModel } from "../weights/repack/repack-model.ts";
import type { ModelSource } from "../weights/sources/model-source.ts";
import type { RemoteModel, DownloadReport } from "../weights/store/download/remote-files.ts";
import type { ModelStore } from "../weights/store/model-store.ts";
import type { ModelWriter } from "../weights/store/model-writer.ts";
import { type FileManifest, readFileManifest } from "./file-manifest.ts";
import { LayeredSource } from "./layered-source.ts";
import { modelId } from "./model-id.ts";
import type { ModelLocation } from "./model-location.ts";
import { CachedJsonSource } from "./cached-json-source.ts";
import { storedSource } from "./model-location.ts";

/** Smaller models are read from their location each time: the HTTP cache keeps them as well. */
const KEPT_FROM_BYTES = 64 << 20;

/** How a model is stored on this machine. */
export interface PrepareOptions {
  /** What its matrices are repacked to: `q8`, `q4`, or `none` for the files as they are. Default: `none`. */
  readonly quantization?: Quantization | undefined;
  /** How scales are chosen when matrices are quantized. Default: `mse`. */
  readonly quantizationMethod?: QuantizationMethod | undefined;
  /** Whether downloaded and repacked weights stay in the store. Default: `auto`, which keeps models of 64 MiB and more. */
  readonly keep?: "auto" | "always" | "never" | undefined;
  /** Ids of stored models that may be deleted, in this order, if there is no room. Default: none. */
  readonly evict?: readonly string[] | undefined;
}

/** How preparing a model reports, and how it ends early. */
export interface PrepareContext {
  readonly signal?: AbortSignal | undefined;
  readonly onLoad?: ((event: LoadEvent) => void) | undefined;
  /** Called after each download with its statistics. */
  readonly onReport?: ((report: DownloadReport) => void) | undefined;
}

/** The ids of a model in the store: with its weights as they are, and as `options` prepare them. */
export function storedIds(
  location: ModelLocation,
  { quantization = "none", quantizationMethod = "mse" }: PrepareOptions,
): { readonly original: string; readonly prepared: string } {
  if (location.storedId !== undefined) return { original: location.storedId, prepared: location.storedId };
  const original = modelId(location.key);
  return {
    original,
    prepared: quantization === "none" ? original : `${original}-${quantization}-${quantizationMethod}`,
  };
}

/**
 * The files that an engine reads. If the model is to be stored, what is missing is downloaded and repacked first; otherwise
 * they are read from its location. A model that is complete in the store is used without asking its location.
 *
 * @throws KleinbildError `storage-full`, `network`, `damaged`, what `openModel` throws, or the signal's reason
 */
export async function prepareModel(
  store: ModelStore | undefined,
  location: ModelLocation,
  options: PrepareOptions,
  context: PrepareContext = {},
): Promise<ModelSource> {
  const { quantization = "none", quantizationMethod = "mse", keep = "auto" } = options;
  if (location.storedId !== undefined) return storedSource(store, location.storedId);
  if (!store || keep === "never" || (quantization === "none" && !location.urlOf)) return location.source;
  const { prepared } = storedIds(location, options);
  if ((await store.find(prepared))?.complete) return store.source(prepared);
  let isUsed = false;
  try {
    const source = new CachedJsonSource(location.source);
    const model = await openModel(source, { signal: context.signal });
    isUsed = !isToBeKept(model, keep);
    if (isUsed) return location.source;
    const preparing = new Preparing(store, { ...location, source }, model, context);
    const others = (options.evict ?? []).filter((id) => id !== prepared && !id.startsWith(`${prepared}.`));
    const isNew = (await store.find(prepared)) === undefined;
    await makingRoom(store, others, () =>
      quantization === "none"
        ? preparing.download(prepared, model.files)
        : preparing.repack(prepared, quantization, quantizationMethod),
    ).catch(async (error: unknown) => {
      if (isNew && isStorageFull(error)) await deleteAll(store, prepared);
      throw error;
    });
    return await store.source(prepared);
  } finally {
    if (!isUsed) await location.source.close();
  }
}

/** Whether a model that is downloaded goes into the store. */
export function isToBeKept(model: OpenModel, keep: NonNullable<PrepareOptions["keep"]>): boolean {
  return keep === "always" || (keep === "auto" && weightFileBytes(model) >= KEPT_FROM_BYTES);
}

/** Bytes of all tensors that an engine reads. */
export function weightFileBytes({ recognition }: OpenModel): number {
  return Object.values(recognition.parts).reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Stores one model. */
class Preparing {
  readonly #store: ModelStore;
  readonly #location: ModelLocation;
  readonly #model: OpenModel;
  readonly #context: PrepareContext;
  #manifest: Promise<FileManifest | undefined> | undefined;

  constructor(store: ModelStore, location: ModelLocation, model: OpenModel, context: PrepareContext) {
    this.#store = store;
    this.#location = location;
    this.#model = model;
    this.#context = context;
  }

  async download(id: string, paths: readonly string[]): Promise<void> {
    const { signal, onLoad, onReport } = this.#context;
    const plan = await this.#plan(paths);
    const report = await this.#store.download(id, plan, {
      signal,
      onProgress: ({ path, storedBytes, totalBytes }) =>
        onLoad?.({ type: "load", stage: "download", part: this.#partOf(path), loadedBytes: storedBytes, totalBytes }),
    });
    onReport?.(report);
  }

  /** Part by part: the original is deleted once it is repacked, so that at most one part is in the store twice. */
  async repack(id: string, quantization: "q8" | "q4", method: QuantizationMethod): Promise<void> {
    const { signal, onLoad } = this.#context;
    const { name } = this.#model.config;
    const about = { name: `${name} (${quantization})`, address: this.#location.source.description };
    const originals = new Map<WeightPart, { readonly id: string; readonly source: ModelSource }>();
    const openPart = async (part: WeightPart) => {
      const files = this.#filesOf(part);
      const original = `${id}.${files.id}`;
      await this.download(original, files.paths);
      const source = await this.#store.source(original);
      originals.set(part, { id: original, source });
      return (await openModel(new LayeredSource(source, this.#location.source), { signal })).stores[part];
    };
    const onPartDone = async (part: WeightPart): Promise<void> => {
      const original = originals.get(part);
      await original?.source.close();
      if (original && !this.#isSharedWithLater(part)) await this.#store.delete(original.id);
    };
    const work = (writer: ModelWriter): Promise<unknown> =>
      repackModel(this.#model, writer, {
        quantization,
        method,
        signal,
        ...(this.#location.urlOf && { openPart, onPartDone }),
        onProgress: (part, loadedBytes, totalBytes) =>
          onLoad?.({ type: "load", stage: "repack", part, loadedBytes, totalBytes }),
      });
    try {
      await this.#store.write(id, about, work, signal);
    } finally {
      for (const { source } of originals.values()) await source.close();
    }
  }

  #partOf(path: string): ModelPart {
    const { parts } = this.#model.recognition;
    const found = WEIGHT_PARTS.find((part) => parts[part].files.includes(path));
    return found ?? "tokenizer";
  }

  /** Files of a part; of all parts, if parts share files. */
  #filesOf(part: WeightPart): { readonly id: string; readonly paths: readonly string[] } {
    const { parts } = this.#model.recognition;
    const all = Object.values(parts).flatMap(({ files }) => files);
    const shares = new Set(all).size < all.length;
    return shares ? { id: "all", paths: [...new Set(all)] } : { id: part.toLowerCase(), paths: parts[part].files };
  }

  #isSharedWithLater(part: WeightPart): boolean {
    return this.#filesOf(part).id === "all" && part !== "vae"; // the last one to be repacked
  }

  async #plan(paths: readonly string[]): Promise<RemoteModel> {
    const { source, urlOf } = this.#location;
    const { signal } = this.#context;
    this.#manifest ??= readFileManifest(source, signal);
    const manifest = await this.#manifest;
    const files = [];
    for (const path of paths) {
      const known = manifest?.files[path];
      const mirrors = (manifest?.mirrors ?? []).map((mirror) => new URL(path, mirror.replace(/\/?$/, "/")).href);
      const bytes = known?.bytes ?? (await source.open(path, signal)).size;
      files.push({ path, urls: [urlOf!(path), ...mirrors], ...known, bytes });
    }
    return { name: this.#model.config.name, address: source.description, files };
  }
}

/** Deletes models one by one and tries again while there is no room: not every platform knows the free space in advance. */
async function makingRoom(store: ModelStore, evict: readonly string[], work: () => Promise<void>): Promise<void> {
  const candidates = [...evict];
  for (;;)
    try {
      return await work();
    } catch (error) {
      const next = isStorageFull(error) ? candidates.shift() : undefined;
      if (next === undefined) throw error;
      await store.delete(next);
    }
}

/** Deletes an unfinished model and the originals of its parts. */
async function deleteAll(store: ModelStore, prepared: string): Promise<void> {
  for (const { id } of await store.list()) if (id === prepared || id.startsWith(`${prepared}.`)) await store.delete(id);
}

function isStorageFull(error: unknown): boolean {
  return error instanceof KleinbildError && error.code === "storage-full";
}
