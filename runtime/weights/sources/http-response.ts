export const HTTP_PARTIAL = 206;
export const HTTP_RANGE_NOT_SATISFIABLE = 416;
/** Not found, or gone. */
export const HTTP_ABSENT: ReadonlySet<number> = new Set([404, 410]);
/** The server is busy or out of order: the same request may succeed later. */
export const HTTP_BUSY: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

/** Whether a page came instead of the file. Servers of single-page sites send their start page for unknown paths. */
export function isHtmlPage({ headers }: Response): boolean {
  return headers.get("content-type")?.startsWith("text/html") === true;
}

/** Whether the body has a content encoding. The decoded bytes are then no range of the file. */
export function isCompressed({ headers }: Response): boolean {
  return (headers.get("content-encoding") ?? "identity") !== "identity";
}

/** Whether the server sent the bytes `offset … offset + length − 1`, as far as the file has them. */
export function sentRange(response: Response, offset: number, length: number): { readonly size: number } | undefined {
  const header = response.headers.get("content-range") ?? "";
  const [, first, last, size] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(header)?.map(Number) ?? [];
  const isThis = size !== undefined && first === offset && last === Math.min(offset + length, size) - 1;
  return isThis ? { size } : undefined;
}

/** Cancels a body that is not needed. An error while its connection closes changes nothing. */
export function discardBody(response: Response): void {
  response.body?.cancel().catch(() => {});
}

/** @param length  bytes of all chunks together */
export function joinChunks(chunks: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
