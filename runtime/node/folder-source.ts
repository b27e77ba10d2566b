import { type FileHandle, open, readdir, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { KleinbildError } from "../errors.ts";
import { assertWithin, type ModelFile, type ModelSource } from "../weights/sources/model-source.ts";

interface OpenFile {
  readonly handle: FileHandle;
  readonly size: number;
}

/** Path in the model → path on this machine, for files that are not in one folder. */
export type LocalFiles = Readonly<Record<string, string>>;

/** A model in a folder of this machine, or in listed files. */
export class FolderSource implements ModelSource {
  readonly description: string;
  /** Undefined: all files of the folder. */
  readonly #local: LocalFiles | undefined;
  readonly #files = new Map<string, Promise<OpenFile>>();

  constructor(files: string | LocalFiles) {
    this.#local = typeof files === "string" ? undefined : files;
    this.description = typeof files === "string" ? files : "the listed files";
  }

  async exists(path: string): Promise<boolean> {
    const file = this.#pathOf(path);
    if (file === undefined) return false;
    try {
      return (await stat(file)).isFile();
    } catch (error) {
      if (isAbsence(error)) return false;
      throw error;
    }
  }

  async open(path: string): Promise<ModelFile> {
    let opening = this.#files.get(path);
    if (!opening) {
      opening = openFile(this.#pathOf(path), path, this.description);
      this.#files.set(path, opening);
      opening.catch(() => this.#files.delete(path)); // the next open tries again
    }
    const { handle, size } = await opening;
    return { size, read: (offset, length, signal) => readFully({ handle, size, path }, offset, length, signal) };
  }

  /** @throws KleinbildError `missing-file` when there is no such folder */
  async list(): Promise<readonly string[]> {
    if (this.#local) return Object.keys(this.#local).toSorted();
    try {
      const entries = await readdir(this.description, { recursive: true, withFileTypes: true });
      const files = entries.filter((entry) => entry.isFile());
      const path = (folder: string, name: string): string =>
        relative(this.description, join(folder, name)).split(sep).join("/");
      return files.map(({ parentPath, name }) => path(parentPath, name)).toSorted();
    } catch (cause) {
      if (!isAbsence(cause)) throw cause;
      throw new KleinbildError("missing-file", `There is no folder ${this.description}.`, {}, { cause });
    }
  }

  /** Closes all files. They can be opened again. */
  async close(): Promise<void> {
    const files = await Promise.allSettled(this.#files.values());
    this.#files.clear();
    for (const file of files) if (file.status === "fulfilled") await file.value.handle.close();
  }

  /** Path on this machine; undefined for a file that is not listed. */
  #pathOf(path: string): string | undefined {
    if (!this.#local) return join(this.description, path);
    return Object.hasOwn(this.#local, path) ? this.#local[path] : undefined;
  }
}

async function openFile(file: string | undefined, path: string, folder: string): Promise<OpenFile> {
  if (file === undefined) throw new KleinbildError("missing-file", `${path} is not in ${folder}.`, { path });
  let handle: FileHandle;
  try {
    handle = await open(file, "r");
  } catch (cause) {
    const what = isAbsence(cause) ? "is not in" : "cannot be opened in";
    throw new KleinbildError("missing-file", `${path} ${what} ${folder}.`, { path }, { cause });
  }
  const stats = await handle.stat();
  if (stats.isFile()) return { handle, size: stats.size };
  await handle.close();
  throw new KleinbildError("missing-file", `${path} in ${folder} is not a file.`, { path });
}

async function readFully(
  { handle, size, path }: OpenFile & { readonly path: string },
  offset: number,
  length: number,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  signal?.throwIfAborted();
  assertWithin(path, size, offset, length);
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const { bytesRead } = await handle.read(bytes, at, length - at, offset + at);
    signal?.throwIfAborted();
    if (bytesRead === 0) assertWithin(path, offset + at, offset, length); // cut since it was opened
    at += bytesRead;
  }
  return bytes;
}

function isAbsence(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOENT" || code === "ENOTDIR";
}
