import { refusal, wrongMethod } from "./api-response.ts";

/** A source of pictures by UUID, such as a `MediaStore`. */
export interface MediaSource {
  /** The picture; undefined if there is none. */
  get(uuid: string): MediaFile | undefined;
}

/** A file, and its media type. */
export interface MediaFile {
  /** The content of the file. */
  readonly bytes: Uint8Array;
  /** Media type, for example `image/png`. */
  readonly type: string;
}

/** Browsers must not guess another type, nor run anything in the file. */
const MEDIA_HEADERS = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; sandbox",
  "x-content-type-options": "nosniff",
} as const;
const PICTURE_TYPES: ReadonlySet<string> = new Set([
  "image/png",
  "image/jpeg",
  "image/webp",
  "image/gif",
  "image/avif",
]);

/** The UUID in `<path>/media/<uuid>.<extension>`; the extension does not matter. */
export function mediaUuid(path: string, pathname: string): string | undefined {
  const prefix = `${path}/media/`;
  if (!pathname.startsWith(prefix)) return undefined;
  return /^([0-9a-f-]{36})(\.[a-z]+)?$/i.exec(pathname.slice(prefix.length))?.[1];
}

/** The picture. It needs no key, because `<img>` sends none: knowing the UUID is enough. */
export function mediaResponse(request: Request, media: MediaSource | undefined, uuid: string): Response {
  if (request.method !== "GET" && request.method !== "HEAD") return wrongMethod("GET, HEAD");
  const found = media?.get(uuid);
  if (!found) return refusal(404, "notFound", `There is no picture ${uuid}; it may have expired.`);
  const { bytes, type } = found;
  const headers = {
    ...MEDIA_HEADERS,
    "content-type": PICTURE_TYPES.has(type) ? type : "application/octet-stream",
    "content-length": String(bytes.byteLength),
  };
  return new Response(request.method === "HEAD" ? null : new Uint8Array(bytes), { headers });
}
