import type { MediaUrls, StoredMedia } from "./media-store.ts";

/** Addresses of pictures in pages and workers: they live until they are revoked or the page goes. */
export class ObjectUrls implements MediaUrls {
  create({ bytes, type }: StoredMedia): string {
    return URL.createObjectURL(new Blob([bytes], { type }));
  }

  revoke(url: string): void {
    URL.revokeObjectURL(url);
  }
}

const EXTENSIONS: Readonly<Record<string, string>> = {
  "image/jpeg": "jpg",
  "image/png": "png",
  "image/webp": "webp",
};

/** A name for a file: its UUID and what its type is usually called. */
export function mediaFileName({ uuid, type }: Pick<StoredMedia, "uuid" | "type">): string {
  return `${uuid}.${EXTENSIONS[type] ?? "bin"}`;
}
