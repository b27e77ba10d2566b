import type { MediaUrls, StoredMedia } from "../../runtime/task/media/media-store.ts";
import { mediaFileName } from "../../runtime/task/media/media-store.ts";

/** Addresses of pictures on the server. They work as long as the store has the picture. */
export class ServedUrls implements MediaUrls {
  readonly #base: () => string;

  /** @param base  returns the address for tasks; called for each picture, because the port may be known late */
  constructor(base: () => string) {
    this.#base = base;
  }

  create(media: StoredMedia): string {
    return `${this.#base()}/media/${mediaFileName(media)}`;
  }

  revoke(): void {}
}
