import { KleinbildError } from "../../errors.ts";
import type { ModelSource } from "../sources/model-source.ts";
import type { DownloadProgress, DownloadReport, DownloadTuning, Meter, RemoteModel } from "./download/remote-files.ts";
import { FileDownload } from "./download/file-download.ts";
import { storageFull } from "./in-memory-backend.ts";
import { ModelWriter } from "./model-writer.ts";
import { PartialFile } from "./partial-file.ts";
import type { StorageReport, StoreBackend } from "./store-backend.ts";
import {
  CHUNK_BYTES,
  storedFilePath,
  type Manifest,
  readManifest,
  readSealed,
  sha256,
  type StoredModel,
  writeManifest,
  writeSealed,
} from "./stored-model.ts";
import { StoredSource } from "./stored-source.ts";

export interface DownloadOptions extends DownloadTuning {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
}

export interface VerifyOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((verifiedBytes: number, totalBytes: number) => void) | undefined;
}

/** A chunk whose bytes differ from its hash. */
export interface Damage {
  /** Path of the file in the model. */
  readonly path: string;
  /** First byte of the chunk in the file. */
  readonly offset: number;
}

/** Models on this machine. Incomplete or damaged files are never read, even after a crash of the page or process that wrote them. */
export class ModelStore {
  readonly #backend: StoreBackend;

  constructor(backend: StoreBackend) {
    this.#backend = backend;
  }

  /** All models, including incomplete ones; last used first. */
  async list(): Promise<readonly StoredModel[]> {
    const models: StoredModel[] = [];
    for (const id of await this.#backend.list("")) {
      const model = await this.find(id);
      if (model) models.push(model);
    }
    return models.toSorted((a, b) => b.lastUsed.localeCompare(a.lastUsed));
  }

  async find(id: string): Promise<StoredModel | undefined> {
    const manifest = await readManifest(this.#backend, id);
    if (!manifest) return undefined;
    const used = await readSealed(this.#backend, `${id}/used.json`);
    const { name, address, complete, created, files } = manifest;
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    return { id, name, address, complete, created, bytes, files, lastUsed: typeof used === "string" ? used : created };
  }

  storage(): Promise<StorageReport> {
    return this.#backend.storage();
  }

  /**
   * Downloads the files that are missing. If another tab or process downloads the same model, this waits for it.
   *
   * @throws KleinbildError `storage-full`, `network`, `missing-file`, `damaged`, or the signal's reason
   */
  async download(id: string, model: RemoteModel, options: DownloadOptions = {}): Promise<DownloadReport> {
    const { signal = new AbortController().signal } = options;
    const meter: Meter = { wireBytes: 0, repeatedBytes: 0, retries: 0, restarts: 0 };
    await this.#backend.withLock(id, () => this.#download(id, model, { ...options, signal, meter }), signal);
    return meter;
  }

  async #download(
    id: string,
    model: RemoteModel,
    options: DownloadOptions & { readonly signal: AbortSignal; readonly meter: Meter },
  ): Promise<void> {
    const { signal, meter } = options;
    const manifest = (await readManifest(this.#backend, id)) ?? emptyManifest(model);
    const isNew = manifest.files.length === 0;
    const files = [...manifest.files];
    const missing = model.files.filter(({ path }) => !manifest.files.some((file) => file.path === path));
    if (missing.length === 0 && manifest.complete) return;
    const known = missing.reduce((sum, { bytes = 0 }) => sum + bytes, 0);
    await this.#assertRoom(known - (await this.#partialBytes(id)));
    let doneBytes = manifest.files.reduce((sum, { bytes }) => sum + bytes, 0);
    const totals = new Map(missing.map(({ path, bytes = 0 }) => [path, bytes]));
    try {
      await writeManifest(this.#backend, id, { ...manifest, complete: false });
      for (const file of missing) {
        signal.throwIfAborted();
        const onProgress = (storedBytes: number, bytes: number): void => {
          totals.set(file.path, bytes);
          const totalBytes = doneBytes + [...totals.values()].reduce((sum, each) => sum + each, 0);
          options.onProgress?.({ path: file.path, storedBytes: doneBytes + storedBytes, totalBytes });
        };
        const stored = await new FileDownload({
          backend: this.#backend,
          id,
          file,
          tuning: options,
          meter,
          onProgress,
        }).run(signal);
        doneBytes += stored.bytes;
        totals.delete(file.path);
        files.push(stored);
        await writeManifest(this.#backend, id, { ...manifest, files, complete: false });
        await PartialFile.forgetProgress(this.#backend, id, file.path);
      }
      await writeManifest(this.#backend, id, { ...manifest, files, complete: true });
    } catch (error) {
      if (!(error instanceof KleinbildError) || error.code !== "storage-full") throw error;
      if (isNew) await this.#backend.remove(id);
      // browsers may report more free space than they grant
      const { freeBytes } = error.details;
      throw storageFull(known, typeof freeBytes === "number" && freeBytes < known ? freeBytes : undefined, error);
    }
  }

  /** Creates a model on this machine, or continues an earlier attempt. `work` runs under the lock of the model. */
  async write<T>(
    id: string,
    about: { readonly name: string; readonly address: string },
    work: (writer: ModelWriter) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    return this.#backend.withLock(
      id,
      async () => {
        const manifest = (await readManifest(this.#backend, id)) ?? emptyManifest(about);
        await writeManifest(this.#backend, id, manifest);
        return work(new ModelWriter(this.#backend, id, manifest));
      },
      signal,
    );
  }

  /** The complete files of a model. @throws KleinbildError `missing-file` when no model has this id */
  async source(id: string): Promise<ModelSource> {
    const manifest = await readManifest(this.#backend, id);
    if (!manifest) throw new KleinbildError("missing-file", `The store has no model ${id}.`, { id });
    await writeSealed(this.#backend, `${id}/used.json`, new Date().toISOString());
    return new StoredSource(this.#backend, id, manifest);
  }

  /** Hashes all chunks again. Files with damaged chunks are removed, so that the next download fetches them. */
  async verify(id: string, { signal, onProgress }: VerifyOptions = {}): Promise<readonly Damage[]> {
    return this.#backend.withLock(
      id,
      async () => {
        const manifest = await readManifest(this.#backend, id);
        if (!manifest) throw new KleinbildError("missing-file", `The store has no model ${id}.`, { id });
        const totalBytes = manifest.files.reduce((sum, { bytes }) => sum + bytes, 0);
        const damages: Damage[] = [];
        let verified = 0;
        for (const { path, bytes, chunks } of manifest.files) {
          const file = await this.#backend.read(storedFilePath(id, path));
          for (const [i, hash] of chunks.entries()) {
            signal?.throwIfAborted();
            const offset = i * CHUNK_BYTES;
            const chunk = (await file?.read(offset, Math.min(CHUNK_BYTES, bytes - offset))) ?? new Uint8Array(0);
            if ((await sha256(chunk)) !== hash) damages.push({ path, offset });
            onProgress?.(Math.min((verified += CHUNK_BYTES), totalBytes), totalBytes);
          }
          await file?.close();
        }
        const broken = new Set(damages.map(({ path }) => path));
        if (broken.size > 0) await this.#drop(id, manifest, (path) => broken.has(path));
        return damages;
      },
      signal,
    );
  }

  /** Removes files of a model. */
  async deleteFiles(id: string, paths: readonly string[]): Promise<void> {
    await this.#backend.withLock(id, async () => {
      const manifest = await readManifest(this.#backend, id);
      if (manifest) await this.#drop(id, manifest, (path) => paths.includes(path));
    });
  }

  async delete(id: string): Promise<void> {
    await this.#backend.withLock(id, async () => {
      await this.#backend.remove(`${id}/model.json`); // first: without it the other files are ignored
      await this.#backend.remove(id);
    });
  }

  async #drop(id: string, manifest: Manifest, isDropped: (path: string) => boolean): Promise<void> {
    const files = manifest.files.filter(({ path }) => !isDropped(path));
    await writeManifest(this.#backend, id, { ...manifest, files, complete: false });
    for (const { path } of manifest.files) if (isDropped(path)) await this.#backend.remove(storedFilePath(id, path));
  }

  /** @throws KleinbildError `storage-full` */
  async #assertRoom(neededBytes: number): Promise<void> {
    const { freeBytes } = await this.#backend.storage();
    if (freeBytes !== undefined && neededBytes > freeBytes) throw storageFull(neededBytes, freeBytes);
  }

  /** Bytes of incomplete downloads, whose space is reserved already. */
  async #partialBytes(id: string): Promise<number> {
    let bytes = 0;
    for (const name of await this.#backend.list(`${id}/progress`)) {
      if (!name.endsWith(".json")) continue;
      const begun = (await readSealed(this.#backend, `${id}/progress/${name}`)) as { bytes?: number } | undefined;
      bytes += begun?.bytes ?? 0;
    }
    return bytes;
  }
}

function emptyManifest({ name, address }: { readonly name: string; readonly address: string }): Manifest {
  return { formatVersion: 1, name, address, complete: false, created: new Date().toISOString(), files: [] };
}
