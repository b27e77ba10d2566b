import { refusal, wrongMethod } from "./api-response.ts";

/** Pictures by UUID; `MediaStore` is one. */
export interface MediaSource {
  get(uuid: string): { readonly bytes: Uint8Array; readonly type: string } | undefined;
}

/** Browsers neither guess another type nor run anything in what they are given. */
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

/** The UUID in `<path>/media/<uuid>.<extension>`; the extension is for people. */
export function mediaUuid(path: string, pathname: string): string | undefined {
  const prefix = `${path}/media/`;
  if (!pathname.startsWith(prefix)) return undefined;
  return /^([0-9a-f-]{36})(\.[a-z]+)?$/i.exec(pathname.slice(prefix.length))?.[1];
}

/** The picture, to whoever knows its UUID: pages show it in `<img>`, which sends no key. */
export function mediaResponse(request: Request, media: MediaSource | undefined, uuid: string): Response {
  if (request.method !== "GET" && request.method !== "HEAD") return wrongMethod("GET, HEAD");
  const found = media?.get(uuid);
  if (!found) return refusal(404, "notFound", `There is no picture ${uuid}; its time may be over.`);
  const { bytes, type } = found;
  const headers = {
    ...MEDIA_HEADERS,
    "content-type": PICTURE_TYPES.has(type) ? type : "application/octet-stream",
    "content-length": String(bytes.byteLength),
  };
  return new Response(request.method === "HEAD" ? null : new Uint8Array(bytes), { headers });
}
