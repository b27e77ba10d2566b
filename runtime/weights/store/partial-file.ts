import * as v from "valibot";
import type { StoreBackend, WritableFile } from "./store-backend.ts";
import {
  CHUNK_BYTES,
  storedFilePath,
  HASH_BYTES,
  hashBytes,
  hashText,
  readSealed,
  sha256,
  type StoredFile,
  writeSealed,
} from "./stored-model.ts";
import type { Validator } from "./download/range-request.ts";

const RECORD_BYTES = 1 + HASH_BYTES;

const Begun = v.object({
  bytes: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  validators: v.record(v.string(), v.object({ etag: v.optional(v.string()), lastModified: v.optional(v.string()) })),
});

/**
 * An incomplete download of a file. Its chunks come in any order. A journal beside the file holds the hashes of the stored
 * chunks, so that another process can resume. It hashes these chunks again, because a crash may have left some half-written.
 */
export class PartialFile {
  readonly bytes: number;
  /** Validators of the version that the chunks belong to, by address. */
  readonly validators: Readonly<Record<string, Validator>>;
  readonly #file: WritableFile;
  readonly #journal: WritableFile;
  readonly #hashes: (string | undefined)[];
  #storedBytes = 0;

  private constructor(begun: v.InferOutput<typeof Begun>, file: WritableFile, journal: WritableFile) {
    this.bytes = begun.bytes;
    this.validators = begun.validators;
    this.#file = file;
    this.#journal = journal;
    this.#hashes = Array.from({ length: Math.ceil(begun.bytes / CHUNK_BYTES) }, () => undefined);
  }

  /** Starts a file and reserves its space. An earlier download of it is removed. @throws KleinbildError `storage-full` */
  static async begin(
    backend: StoreBackend,
    id: string,
    path: string,
    begun: { readonly bytes: number; readonly validators: Readonly<Record<string, Validator>> },
  ): Promise<PartialFile> {
    await PartialFile.remove(backend, id, path);
    const file = await backend.write(storedFilePath(id, path));
    try {
      await file.truncate(begun.bytes);
      const journal = await backend.write(`${progressPath(id, path)}.chunks`);
      await writeSealed(backend, `${progressPath(id, path)}.json`, begun);
      return new PartialFile(begun, file, journal);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Continues the download of an earlier process, with verified chunks; undefined if there is none. */
  static async resume(backend: StoreBackend, id: string, path: string): Promise<PartialFile | undefined> {
    const begun = v.safeParse(Begun, await readSealed(backend, `${progressPath(id, path)}.json`));
    if (!begun.success) return undefined;
    const file = await backend.write(storedFilePath(id, path));
    const journal = await backend.write(`${progressPath(id, path)}.chunks`);
    const partial = new PartialFile(begun.output, file, journal);
    if ((await file.size()) !== begun.output.bytes) {
      await partial.close();
      return undefined;
    }
    await partial.#restore();
    return partial;
  }

  static async remove(backend: StoreBackend, id: string, path: string): Promise<void> {
    await backend.remove(storedFilePath(id, path));
    await backend.remove(`${progressPath(id, path)}.json`);
    await backend.remove(`${progressPath(id, path)}.chunks`);
  }

  get chunks(): number {
    return this.#hashes.length;
  }

  has(chunk: number): boolean {
    return this.#hashes[chunk] !== undefined;
  }

  get storedBytes(): number {
    return this.#storedBytes;
  }

  /** Stores a verified chunk. */
  async add(chunk: number, bytes: Uint8Array<ArrayBuffer>, hash: string): Promise<void> {
    await this.#file.write(chunk * CHUNK_BYTES, bytes);
    const record = new Uint8Array(RECORD_BYTES);
    record[0] = 1;
    record.set(hashBytes(hash), 1);
    await this.#journal.write(chunk * RECORD_BYTES, record);
    this.#count(chunk, hash);
  }

  /** Reads a stored chunk. */
  read(chunk: number): Promise<Uint8Array<ArrayBuffer>> {
    return this.#file.read(chunk * CHUNK_BYTES, this.#chunkBytes(chunk));
  }

  /** Makes a file with all its chunks safe from a crash, and describes it for the model's manifest. */
  async finish(path: string): Promise<StoredFile> {
    await this.#file.flush();
    return { path, bytes: this.bytes, chunks: this.#hashes.map((hash) => hash!) };
  }

  async close(): Promise<void> {
    await this.#file.close();
    await this.#journal.close();
  }

  static async forgetProgress(backend: StoreBackend, id: string, path: string): Promise<void> {
    await backend.remove(`${progressPath(id, path)}.json`);
    await backend.remove(`${progressPath(id, path)}.chunks`);
  }

  #chunkBytes(chunk: number): number {
    return Math.min(CHUNK_BYTES, this.bytes - chunk * CHUNK_BYTES);
  }

  async #restore(): Promise<void> {
    const records = await this.#journal.read(0, this.chunks * RECORD_BYTES);
    for (let chunk = 0; (chunk + 1) * RECORD_BYTES <= records.length; chunk++) {
      const record = records.subarray(chunk * RECORD_BYTES, (chunk + 1) * RECORD_BYTES);
      if (record[0] !== 1) continue;
      const hash = hashText(record.subarray(1));
      if ((await sha256(await this.read(chunk))) === hash) this.#count(chunk, hash);
    }
  }

  #count(chunk: number, hash: string): void {
    this.#hashes[chunk] = hash;
    this.#storedBytes += this.#chunkBytes(chunk);
  }
}

function progressPath(id: string, path: string): string {
  return `${id}/progress/${encodeURIComponent(path)}`;
}
