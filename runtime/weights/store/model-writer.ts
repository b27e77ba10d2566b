import type { StoreBackend, WritableFile } from "./store-backend.ts";
import { CHUNK_BYTES, storedFilePath, type Manifest, sha256, writeManifest } from "./stored-model.ts";

/** A file that is being written to the store, from start to end. */
export interface FileWriter {
  write(bytes: Uint8Array): Promise<void>;
  /** Finishes the file and adds it to the model. */
  close(): Promise<void>;
  /** Removes the incomplete file. */
  discard(): Promise<void>;
}

/** Writes the files of a model that is created on this machine. After an interruption, finished files stay and others are written again. */
export class ModelWriter {
  readonly #backend: StoreBackend;
  readonly #id: string;
  #manifest: Manifest;

  constructor(backend: StoreBackend, id: string, manifest: Manifest) {
    this.#backend = backend;
    this.#id = id;
    this.#manifest = manifest;
  }

  /** Whether a file is finished. */
  async has(path: string): Promise<boolean> {
    return this.#manifest.files.some((file) => file.path === path);
  }

  async file(path: string): Promise<FileWriter> {
    const stored = storedFilePath(this.#id, path);
    const file = await this.#backend.write(stored);
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
        await this.#backend.remove(stored);
      },
    };
  }

  /** Marks the model as complete. */
  async publish(): Promise<void> {
    await this.#save({ complete: true });
  }

  async #save(change: Partial<Manifest>): Promise<void> {
    const manifest = { ...this.#manifest, ...change };
    await writeManifest(this.#backend, this.#id, manifest);
    this.#manifest = manifest;
  }
}

/** Collects bytes into chunks, hashes the chunks and writes them. */
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
      const piece = bytes.subarray(at, at + CHUNK_BYTES - this.#filled);
      this.#chunk.set(piece, this.#filled);
      this.#filled += piece.length;
      at += piece.length;
      if (this.#filled === CHUNK_BYTES) await this.#writeChunk();
    }
  }

  /** Writes the last chunk and waits until everything is written. */
  async end(): Promise<void> {
    await this.#writeChunk();
    await this.#writing;
  }

  /** Waits until the last write has succeeded or failed. */
  async abandon(): Promise<void> {
    await this.#writing?.catch(() => {});
  }

  /** Starts to hash and write the chunk, once the chunk before it is written. The caller goes on meanwhile. */
  async #writeChunk(): Promise<void> {
    if (this.#filled === 0) return;
    const chunk = this.#chunk.slice(0, this.#filled);
    this.#filled = 0;
    const offset = this.bytes;
    this.bytes += chunk.length;
    await this.#writing;
    this.#writing = this.#hashAndWrite(offset, chunk);
    this.#writing.catch(() => {}); // the next write throws it; until then it must not count as unhandled
  }

  async #hashAndWrite(offset: number, chunk: Uint8Array<ArrayBuffer>): Promise<void> {
    const [hash] = await Promise.all([sha256(chunk), this.#file.write(offset, chunk)]);
    this.hashes.push(hash);
  }
}
