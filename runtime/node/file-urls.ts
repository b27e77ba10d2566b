import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { MediaUrls, StoredMedia } from "../task/media/media-store.ts";
import { mediaFileName } from "../task/media/media-url.ts";

/** Addresses of pictures in Node: files, which outlive the process unless they are revoked. */
export class FileUrls implements MediaUrls {
  #folder: string | undefined;

  /** @param folder  Default: a new one among the system's temporary files, made with the first picture, readable by its user only. */
  constructor(folder?: string) {
    this.#folder = folder;
    if (folder !== undefined) mkdirSync(folder, { recursive: true });
  }

  create(media: StoredMedia): string {
    this.#folder ??= mkdtempSync(join(tmpdir(), "kleinbild-"));
    const path = join(this.#folder, mediaFileName(media));
    writeFileSync(path, media.bytes, { flag: "wx" });
    return pathToFileURL(path).href;
  }

  revoke(url: string): void {
    rmSync(fileURLToPath(url), { force: true });
  }
}
