import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, statfs, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { storageFull } from "../weights/store/in-memory-backend.ts";
import type { ReadableFile, StorageReport, StoreBackend, WritableFile } from "../weights/store/store-backend.ts";

const LOCK_POLL_MS = 100;

/** Stores files in a folder of this machine. */
export class FolderBackend implements StoreBackend {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  async write(path: string): Promise<WritableFile> {
    const file = join(this.#root, path);
    await mkdir(dirname(file), { recursive: true });
    const handle = await open(file, "r+").catch(async (error: unknown) => {
      if (!isAbsence(error)) throw error;
      return open(file, "w+");
    });
    return {
      size: async () => (await handle.stat()).size,
      read: (offset, length) => readUpTo(handle, offset, length),
      write: async (offset, bytes) => {
        try {
          for (let at = 0; at < bytes.length;)
            at += (await handle.write(bytes, at, bytes.length - at, offset + at)).bytesWritten;
        } catch (error) {
          throw (error as NodeJS.ErrnoException).code === "ENOSPC" ? storageFull(bytes.length, 0, error) : error;
        }
      },
      truncate: (size) => handle.truncate(size),
      flush: () => handle.datasync(),
      close: () => handle.close(),
    };
  }

  async read(path: string): Promise<ReadableFile | undefined> {
    try {
      const handle = await open(join(this.#root, path), "r");
      const { size } = await handle.stat();
      return { size, read: (offset, length) => readUpTo(handle, offset, length), close: () => handle.close() };
    } catch (error) {
      if (isAbsence(error)) return undefined;
      throw error;
    }
  }

  async replace(path: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const file = join(this.#root, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(`${file}.new`, bytes, { flush: true });
    await rename(`${file}.new`, file);
  }

  async list(folder: string): Promise<readonly string[]> {
    try {
      return (await readdir(join(this.#root, folder))).toSorted();
    } catch (error) {
      if (isAbsence(error)) return [];
      throw error;
    }
  }

  async remove(path: string): Promise<void> {
    await rm(join(this.#root, path), { recursive: true, force: true });
  }

  /** The lock is a file with the process id of its owner. A lock is stale once that process has ended. */
  async withLock<T>(name: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const file = join(this.#root, `${name}.lock`);
    await mkdir(dirname(file), { recursive: true });
    while (!(await takeLock(file)))
      await setTimeout(LOCK_POLL_MS, undefined, signal && { signal }).catch(() => signal?.throwIfAborted());
    try {
      return await work();
    } finally {
      await rm(file, { force: true });
    }
  }

  async storage(): Promise<StorageReport> {
    await mkdir(this.#root, { recursive: true });
    const { bsize, blocks, bfree, bavail } = await statfs(this.#root);
    return { usedBytes: (blocks - bfree) * bsize, freeBytes: bavail * bsize, persisted: true };
  }
}

async function takeLock(file: string): Promise<boolean> {
  try {
    await writeFile(file, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  const owner = Number(await readFile(file, "utf8").catch(() => ""));
  if (owner > 0 && !isRunning(owner)) await rm(file, { force: true });
  return false;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

async function readUpTo(handle: FileHandle, offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  let at = 0;
  while (at < length) {
    const { bytesRead } = await handle.read(bytes, at, length - at, offset + at);
    if (bytesRead === 0) return bytes.slice(0, at);
    at += bytesRead;
  }
  return bytes;
}

function isAbsence(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOENT" || code === "ENOTDIR";
}
