import type { StoreBackend, WritableFile } from "./store-backend.ts";
import { CHUNK_BYTES, filePlace, type Manifest, sha256, writeManifest } from "./stored-model.ts";

/** A file on its way into the store, from its beginning to its end. */
export interface FileWriter {
  write(bytes: Uint8Array): Promise<void>;
  /** Makes it part of the model. */
  close(): Promise<void>;
  /** Removes it again. */
  discard(): Promise<void>;
}

/** Writes the files of a model that is made here. Files that became whole stay when it is interrupted, others do not. */
export class ModelWriter {
  readonly #backend: StoreBackend;
  readonly #id: string;
  #manifest: Manifest;

  constructor(backend: StoreBackend, id: string, manifest: Manifest) {
    this.#backend = backend;
    this.#id = id;
    this.#manifest = manifest;
  }

  /** Whether a file is whole already. */
  async has(path: string): Promise<boolean> {
    return this.#manifest.files.some((file) => file.path === path);
  }

  async file(path: string): Promise<FileWriter> {
    const place = filePlace(this.#id, path);
    const file = await this.#backend.write(place);
    await file.truncate(0);
    const chunks = new ChunkWriter(file);
    return {
      write: (bytes) => chunks.write(bytes),
      close: async () => {
        await chunks.end();
        await file.flush();
        await file.close();
        const files = this.#manifest.files.filter((other) => other.path !== path);
        await this.#save({ files: [...files, { path, bytes: chunks.bytes, chunks: chunks.hashes }] });
      },
      discard: async () => {
        await file.close();
        await this.#backend.remove(place);
      },
    };
  }

  /** Says that the model is whole. */
  async publish(): Promise<void> {
    await this.#save({ complete: true });
  }

  async #save(change: Partial<Manifest>): Promise<void> {
    const manifest = { ...this.#manifest, ...change };
    await writeManifest(this.#backend, this.#id, manifest);
    this.#manifest = manifest;
  }
}

/** Gathers bytes to chunks, hashes and writes them. */
class ChunkWriter {
  readonly hashes: string[] = [];
  bytes = 0;
  readonly #file: WritableFile;
  readonly #chunk = new Uint8Array(CHUNK_BYTES);
  #filled = 0;

  constructor(file: WritableFile) {
    this.#file = file;
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      const part = bytes.subarray(at, at + CHUNK_BYTES - this.#filled);
      this.#chunk.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled === CHUNK_BYTES) await this.end();
    }
  }

  /** Writes what is gathered. */
  async end(): Promise<void> {
    if (this.#filled === 0) return;
    const chunk = this.#chunk.slice(0, this.#filled);
    this.hashes.push(await sha256(chunk));
    await this.#file.write(this.bytes, chunk);
    this.bytes += chunk.length;
    this.#filled = 0;
  }
}
