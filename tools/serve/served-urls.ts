import type { MediaUrls, StoredMedia } from "../../runtime/task/media/media-store.ts";
import { mediaFileName } from "../../runtime/task/media/media-store.ts";

/** Addresses of pictures at the server: there as long as the store has them. */
export class ServedUrls implements MediaUrls {
  readonly #base: () => string;

  /** @param base  where tasks are posted to; asked for with each picture, since a port may be known late */
  constructor(base: () => string) {
    this.#base = base;
  }

  create(media: StoredMedia): string {
    return `${this.#base()}/media/${mediaFileName(media)}`;
  }

  revoke(): void {}
}
