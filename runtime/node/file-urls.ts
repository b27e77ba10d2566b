import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { mediaFileName, type MediaUrls, type StoredMedia } from "../task/media/media-store.ts";

/** Addresses of pictures in Node: files. They stay after the process ends, unless they are revoked. */
export class FileUrls implements MediaUrls {
  #folder: string | undefined;

  /** @param folder  Default: a new temporary folder, made with the first picture, that only this user can read */
  constructor(folder?: string) {
    this.#folder = folder;
    if (folder !== undefined) mkdirSync(folder, { recursive: true });
  }

  /** Writes the picture to a file. @returns its file URL */
  create(media: StoredMedia): string {
    this.#folder ??= mkdtempSync(join(tmpdir(), "kleinbild-"));
    const path = join(this.#folder, mediaFileName(media));
    writeFileSync(path, media.bytes, { flag: "wx" });
    return pathToFileURL(path).href;
  }

  /** Deletes the file. Does nothing if it is gone. */
  revoke(url: string): void {
    rmSync(fileURLToPath(url), { force: true });
  }
}
