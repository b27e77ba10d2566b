import { KleinbildError } from "../../errors.ts";
import { assertWithin, type ModelFile, type ModelSource } from "./model-source.ts";

/** Files that a user picked or dropped, by path within the model. */
export type ModelBlobs = Readonly<Record<string, Blob>>;

/** A model in files that a user picked. They are read in place, and become unreadable when somebody changes them. */
export class BlobSource implements ModelSource {
  readonly description = "the picked files";
  readonly #blobs: ReadonlyMap<string, Blob>;

  constructor(blobs: ModelBlobs) {
    this.#blobs = new Map(Object.entries(blobs));
  }

  async exists(path: string): Promise<boolean> {
    return this.#blobs.has(path);
  }

  async open(path: string): Promise<ModelFile> {
    const blob = this.#blobs.get(path);
    if (!blob) throw new KleinbildError("missing-file", `${path} is not among the picked files.`, { path });
    return {
      size: blob.size,
      read: async (offset, length, signal) => {
        signal?.throwIfAborted();
        assertWithin(path, blob.size, offset, length);
        try {
          return new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
        } catch (cause) {
          throw new KleinbildError(
            "missing-file",
            `${path} can no longer be read: it was changed, moved or deleted after it was picked. Pick it again.`,
            { path },
            { cause },
          );
        }
      },
    };
  }

  async list(): Promise<readonly string[]> {
    return [...this.#blobs.keys()].toSorted();
  }

  async close(): Promise<void> {}
}

/** Picked files by path. If a folder was picked, paths are relative to it. */
export function blobsOf(files: Iterable<File>): ModelBlobs {
  const paths = [...files].map((file) => ({ file, path: file.webkitRelativePath || file.name }));
  const folder = /^[^/]+\//.exec(paths[0]?.path ?? "")?.[0] ?? "";
  const isInFolder = folder !== "" && paths.every(({ path }) => path.startsWith(folder));
  return Object.fromEntries(paths.map(({ file, path }) => [isInFolder ? path.slice(folder.length) : path, file]));
}
