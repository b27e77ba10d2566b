import { KleinbildError } from "../../errors.ts";
import type { ReadableFile, StorageReport, StoreBackend, WritableFile } from "./store-backend.ts";

/** Keeps files in RAM when the platform has no other storage. They are lost with the page. */
export class InMemoryBackend implements StoreBackend {
  readonly #files = new Map<string, Uint8Array<ArrayBuffer>>();
  readonly #locks = new Map<string, Promise<unknown>>();
  readonly #quotaBytes: number;

  constructor(quotaBytes = Infinity) {
    this.#quotaBytes = quotaBytes;
  }

  async write(path: string): Promise<WritableFile> {
    if (!this.#files.has(path)) this.#files.set(path, new Uint8Array(0));
    const get = (): Uint8Array<ArrayBuffer> => this.#files.get(path) ?? new Uint8Array(0);
    const resize = (size: number): void => {
      this.#assertRoom(size - get().length);
      const bytes = new Uint8Array(size);
      bytes.set(get().subarray(0, size));
      this.#files.set(path, bytes);
    };
    return {
      size: async () => get().length,
      read: async (offset, length) => get().slice(offset, offset + length),
      write: async (offset, bytes) => {
        if (offset + bytes.length > get().length) resize(offset + bytes.length);
        get().set(bytes, offset);
      },
      truncate: async (size) => resize(size),
      flush: async () => {},
      close: async () => {},
    };
  }

  async read(path: string): Promise<ReadableFile | undefined> {
    const bytes = this.#files.get(path);
    if (!bytes) return undefined;
    return {
      size: bytes.length,
      read: async (offset, length) => bytes.slice(offset, offset + length),
      close: async () => {},
    };
  }

  async replace(path: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#assertRoom(bytes.length - (this.#files.get(path)?.length ?? 0));
    this.#files.set(path, bytes.slice());
  }

  async list(folder: string): Promise<readonly string[]> {
    const start = folder === "" ? "" : `${folder}/`;
    const inside = [...this.#files.keys()].filter((path) => path.startsWith(start));
    return [...new Set(inside.map((path) => path.slice(start.length).split("/")[0]!))].toSorted();
  }

  async remove(path: string): Promise<void> {
    for (const file of this.#files.keys()) if (file === path || file.startsWith(`${path}/`)) this.#files.delete(file);
  }

  async withLock<T>(name: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const before = this.#locks.get(name) ?? Promise.resolve();
    const run = before.then(() => {
      signal?.throwIfAborted();
      return work();
    });
    this.#locks.set(
      name,
      run.catch(() => {}),
    );
    return run;
  }

  async storage(): Promise<StorageReport> {
    const usedBytes = this.#usedBytes;
    const freeBytes = this.#quotaBytes === Infinity ? undefined : this.#quotaBytes - usedBytes;
    return { usedBytes, freeBytes, persisted: false };
  }

  get #usedBytes(): number {
    return [...this.#files.values()].reduce((sum, { length }) => sum + length, 0);
  }

  #assertRoom(moreBytes: number): void {
    const freeBytes = this.#quotaBytes - this.#usedBytes;
    if (moreBytes > freeBytes) throw storageFull(moreBytes, freeBytes);
  }
}

export function storageFull(neededBytes: number, freeBytes: number | undefined, cause?: unknown): KleinbildError {
  const free = freeBytes === undefined ? "the storage is full" : `${freeBytes} are free`;
  return new KleinbildError(
    "storage-full",
    `The store needs ${neededBytes} more bytes, and ${free}. Delete models that you no longer need.`,
    { neededBytes, freeBytes: freeBytes ?? null },
    { cause },
  );
}
