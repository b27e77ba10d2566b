import { KleinbildError } from "../../errors.ts";
import { assertWithin, type ModelFile, type ModelSource } from "../sources/model-source.ts";
import type { ReadableFile, StoreBackend } from "./store-backend.ts";
import { CHUNK_BYTES, storedFilePath, type Manifest, sha256, type StoredFile } from "./stored-model.ts";

/** A model of the store. Each chunk is verified before its first use. */
export class StoredSource implements ModelSource {
  readonly description: string;
  readonly #backend: StoreBackend;
  readonly #id: string;
  readonly #files: ReadonlyMap<string, StoredFile>;
  readonly #opened = new Map<string, Promise<VerifiedFile>>();

  constructor(backend: StoreBackend, id: string, manifest: Manifest) {
    this.description = manifest.address;
    this.#backend = backend;
    this.#id = id;
    this.#files = new Map(manifest.files.map((file) => [file.path, file]));
  }

  async exists(path: string): Promise<boolean> {
    return this.#files.has(path);
  }

  async open(path: string): Promise<ModelFile> {
    const opened = this.#opened.get(path) ?? this.#open(path);
    this.#opened.set(path, opened);
    opened.catch(() => this.#opened.delete(path));
    return opened;
  }

  async list(): Promise<readonly string[]> {
    return [...this.#files.keys()].toSorted();
  }

  async close(): Promise<void> {
    const opened = await Promise.allSettled(this.#opened.values());
    this.#opened.clear();
    for (const file of opened) if (file.status === "fulfilled") await file.value.close();
  }

  async #open(path: string): Promise<VerifiedFile> {
    const stored = this.#files.get(path);
    if (!stored)
      throw new KleinbildError("missing-file", `${path} is not among the stored files of ${this.description}.`, {
        path,
      });
    const file = await this.#backend.read(storedFilePath(this.#id, path));
    if (file?.size === stored.bytes) return new VerifiedFile(file, stored, this.#id);
    await file?.close();
    throw damaged(this.#id, path, `it has ${file?.size ?? "no"} bytes; ${stored.bytes} were expected`);
  }
}

class VerifiedFile implements ModelFile {
  readonly size: number;
  readonly #file: ReadableFile;
  readonly #stored: StoredFile;
  readonly #id: string;
  readonly #verified: Uint8Array;

  constructor(file: ReadableFile, stored: StoredFile, id: string) {
    this.size = stored.bytes;
    this.#file = file;
    this.#stored = stored;
    this.#id = id;
    this.#verified = new Uint8Array(stored.chunks.length);
  }

  async read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    signal?.throwIfAborted();
    const { path } = this.#stored;
    assertWithin(path, this.size, offset, length);
    if (length === 0) return new Uint8Array(0);
    const first = Math.floor(offset / CHUNK_BYTES);
    const end = Math.ceil((offset + length) / CHUNK_BYTES);
    if (this.#verified.subarray(first, end).every((done) => done === 1)) {
      const bytes = await this.#file.read(offset, length);
      if (bytes.length === length) return bytes;
      throw damaged(this.#id, path, `it ends at byte ${offset + bytes.length}`);
    }
    const start = first * CHUNK_BYTES;
    const bytes = await this.#file.read(start, Math.min(end * CHUNK_BYTES, this.size) - start);
    for (let chunk = first; chunk < end; chunk++) {
      if (this.#verified[chunk]) continue;
      signal?.throwIfAborted();
      const slice = bytes.subarray((chunk - first) * CHUNK_BYTES, (chunk - first + 1) * CHUNK_BYTES);
      if ((await sha256(slice)) !== this.#stored.chunks[chunk])
        throw damaged(this.#id, path, `the hash of its bytes from ${chunk * CHUNK_BYTES} on differs`);
      this.#verified[chunk] = 1;
    }
    return bytes.slice(offset - start, offset - start + length);
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

function damaged(id: string, path: string, what: string): KleinbildError {
  return new KleinbildError(
    "damaged",
    `The stored file ${path} of ${id} is damaged: ${what}. Delete the model and load it again.`,
    {
      id,
      path,
    },
  );
}
