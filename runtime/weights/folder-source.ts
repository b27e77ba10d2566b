import { type FileHandle, open, stat } from "node:fs/promises";
import { join } from "node:path";
import { KleinbildError } from "../errors.ts";
import type { ModelFile, ModelSource } from "./source.ts";

/** A model in a folder of this machine; Node only. */
export class FolderSource implements ModelSource {
  readonly description: string;
  readonly #files = new Map<string, { readonly handle: FileHandle; readonly size: number }>();

  constructor(folder: string) {
    this.description = folder;
  }

  async exists(path: string): Promise<boolean> {
    try {
      return (await stat(join(this.description, path))).isFile();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT" || (error as NodeJS.ErrnoException).code === "ENOTDIR") return false;
      throw error;
    }
  }

  async open(path: string): Promise<ModelFile> {
    const file = this.#files.get(path) ?? (await this.#open(path));
    this.#files.set(path, file);
    return {
      size: file.size,
      read: async (offset, length, signal) => {
        signal?.throwIfAborted();
        const bytes = new Uint8Array(length);
        let at = 0;
        while (at < length) {
          const { bytesRead } = await file.handle.read(bytes, at, length - at, offset + at);
          if (bytesRead === 0)
            throw new KleinbildError("invalid-model", `${path} ends at byte ${offset + at}; ${offset + length} were expected.`, { path });
          at += bytesRead;
        }
        return bytes;
      },
    };
  }

  async close(): Promise<void> {
    const files = [...this.#files.values()];
    this.#files.clear();
    for (const { handle } of files) await handle.close();
  }

  async #open(path: string): Promise<{ readonly handle: FileHandle; readonly size: number }> {
    try {
      const handle = await open(join(this.description, path), "r");
      return { handle, size: (await handle.stat()).size };
    } catch (cause) {
      throw new KleinbildError("missing-file", `${path} is not in ${this.description}.`, { path }, { cause });
    }
  }
}
