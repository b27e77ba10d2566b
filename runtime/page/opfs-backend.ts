import { storageFull } from "../weights/store/in-memory-backend.ts";
import type { ReadableFile, StorageReport, StoreBackend, WritableFile } from "../weights/store/store-backend.ts";

/** TypeScript's library declares it for workers only. Source: https://fs.spec.whatwg.org/#api-filesystemsyncaccesshandle */
interface SyncAccessHandle {
  read(bytes: Uint8Array, options: { readonly at: number }): number;
  write(bytes: Uint8Array, options: { readonly at: number }): number;
  truncate(size: number): void;
  getSize(): number;
  flush(): void;
  close(): void;
}

/** Chromium never reports more free bytes: at this value, there may be more. */
const MAX_REPORTED_BYTES = 10 * 2 ** 30;

type WritableHandle = FileSystemFileHandle & { createSyncAccessHandle(): Promise<SyncAccessHandle> };

/** Stores files in a folder of the origin private file system. Only workers can write; pages can read and list. */
export class OpfsBackend implements StoreBackend {
  readonly #folder: string;

  /** Whether this browser has such a file system, and lets this page use it. */
  static async isSupported(): Promise<boolean> {
    try {
      await navigator.storage.getDirectory();
      return "locks" in navigator;
    } catch {
      return false; // private windows of some browsers, and origins that are not secure
    }
  }

  constructor(folder = "kleinbild") {
    this.#folder = folder;
  }

  async write(path: string): Promise<WritableFile> {
    const file = await this.#file(path, true);
    const handle = await (file as WritableHandle).createSyncAccessHandle();
    return {
      size: async () => handle.getSize(),
      read: async (offset, length) => {
        const bytes = new Uint8Array(length);
        return bytes.slice(0, handle.read(bytes, { at: offset }));
      },
      write: async (offset, bytes) => {
        try {
          let at = 0;
          while (at < bytes.length) {
            const written = handle.write(bytes.subarray(at), { at: offset + at });
            if (written === 0) throw new DOMException("Nothing could be written.", "QuotaExceededError");
            at += written;
          }
        } catch (error) {
          throw await this.#named(error, bytes.length);
        }
      },
      truncate: async (size) => {
        try {
          handle.truncate(size);
        } catch (error) {
          throw await this.#named(error, size);
        }
      },
      flush: async () => handle.flush(),
      close: async () => handle.close(),
    };
  }

  async read(path: string): Promise<ReadableFile | undefined> {
    const handle = await this.#file(path, false);
    if (!handle) return undefined;
    const file = await handle.getFile();
    return {
      size: file.size,
      read: async (offset, length) => new Uint8Array(await file.slice(offset, offset + length).arrayBuffer()),
      close: async () => {},
    };
  }

  /** Through a swap file if the browser has them: two tabs may record at the same time that they use a model. */
  async replace(path: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const file = (await this.#file(path, true))!;
    if (!("createWritable" in file)) return this.#overwrite(path, bytes);
    try {
      const stream = await file.createWritable();
      await stream.write(bytes);
      await stream.close();
    } catch (error) {
      throw await this.#named(error, bytes.length);
    }
  }

  async #overwrite(path: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const file = await this.write(path);
    try {
      await file.truncate(0);
      await file.write(0, bytes);
      await file.flush();
    } finally {
      await file.close();
    }
  }

  async list(folder: string): Promise<readonly string[]> {
    const directory = await this.#directory(folder, false);
    if (!directory) return [];
    const names: string[] = [];
    for await (const name of directory.keys()) names.push(name);
    return names.toSorted();
  }

  async remove(path: string): Promise<void> {
    const [parent, name] = split(path);
    const directory = await this.#directory(parent, false);
    await directory?.removeEntry(name, { recursive: true }).catch(ignoreAbsence);
  }

  async withLock<T>(name: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const held = await navigator.locks.request(`${this.#folder}/${name}`, signal ? { signal } : {}, async () => ({
      result: await work(),
    }));
    return held.result;
  }

  async storage(): Promise<StorageReport> {
    const { usage = 0, quota } = await navigator.storage.estimate();
    const free = quota === undefined ? undefined : Math.max(0, quota - usage);
    return {
      usedBytes: usage,
      freeBytes: free === MAX_REPORTED_BYTES ? undefined : free,
      persisted: await navigator.storage.persisted(),
    };
  }

  async #named(error: unknown, bytes: number): Promise<unknown> {
    if (!(error instanceof DOMException) || error.name !== "QuotaExceededError") return error;
    return storageFull(bytes, (await this.storage()).freeBytes, error);
  }

  async #file(path: string, create: boolean): Promise<FileSystemFileHandle | undefined> {
    const [parent, name] = split(path);
    const directory = await this.#directory(parent, create);
    return this.#handle(() => directory?.getFileHandle(name, { create }));
  }

  async #directory(folder: string, create: boolean): Promise<FileSystemDirectoryHandle | undefined> {
    let directory: FileSystemDirectoryHandle | undefined = await navigator.storage.getDirectory();
    for (const name of [this.#folder, ...folder.split("/").filter((part) => part !== "")])
      directory = await this.#handle(() => directory?.getDirectoryHandle(name, { create }));
    return directory;
  }

  /** The handle, or undefined if there is none. Chromium creates none when the disk is full. */
  async #handle<Handle>(open: () => Promise<Handle> | undefined): Promise<Handle | undefined> {
    try {
      return await open()?.catch(ignoreAbsence);
    } catch (error) {
      throw await this.#named(error, 0);
    }
  }
}

function split(path: string): readonly [parent: string, name: string] {
  const slash = path.lastIndexOf("/");
  return [path.slice(0, Math.max(0, slash)), path.slice(slash + 1)];
}

function ignoreAbsence(error: unknown): undefined {
  if (error instanceof DOMException && (error.name === "NotFoundError" || error.name === "TypeMismatchError"))
    return undefined;
  throw error;
}
