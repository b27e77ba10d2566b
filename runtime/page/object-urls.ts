import type { MediaUrls, StoredMedia } from "../task/media/media-store.ts";

/** Addresses of pictures in pages and workers: object URLs. They last until they are revoked or the page is closed. */
export class ObjectUrls implements MediaUrls {
  create({ bytes, type }: StoredMedia): string {
    return URL.createObjectURL(new Blob([bytes], { type }));
  }

  revoke(url: string): void {
    URL.revokeObjectURL(url);
  }
}
