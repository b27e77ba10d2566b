import type { StoreBackend, WritableFile } from "./store-backend.ts";
import { CHUNK_BYTES, storedFilePath, type Manifest, sha256, writeManifest } from "./stored-model.ts";

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
    const place = storedFilePath(this.#id, path);
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
        await chunks.abandon();
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
  #writing: Promise<void> | undefined;

  constructor(file: WritableFile) {
    this.#file = file;
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      const part = bytes.subarray(at, at + CHUNK_BYTES - this.#filled);
      this.#chunk.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled === CHUNK_BYTES) await this.#writeChunk();
    }
  }

  /** Writes what is gathered, and waits until all is written. */
  async end(): Promise<void> {
    await this.#writeChunk();
    await this.#writing;
  }

  /** Waits until nothing is written any more, whether it worked or not. */
  async abandon(): Promise<void> {
    await this.#writing?.catch(() => {});
  }

  /** The chunk is hashed and written while whoever makes the bytes goes on; the one before it is waited for. */
  async #writeChunk(): Promise<void> {
    if (this.#filled === 0) return;
    const chunk = this.#chunk.slice(0, this.#filled);
    this.#filled = 0;
    const offset = this.bytes;
    this.bytes += chunk.length;
    await this.#writing;
    this.#writing = this.#hashAndWrite(offset, chunk);
    this.#writing.catch(() => {}); // whoever writes next sees it; until then it is not unhandled
  }

  async #hashAndWrite(offset: number, chunk: Uint8Array<ArrayBuffer>): Promise<void> {
    const [hash] = await Promise.all([sha256(chunk), this.#file.write(offset, chunk)]);
    this.hashes.push(hash);
  }
}
