import pRetry from "p-retry";
import { type ErrorDetails, KleinbildError } from "../../errors.ts";
import {
  discardBody,
  HTTP_ABSENT,
  HTTP_BUSY,
  HTTP_PARTIAL,
  HTTP_RANGE_NOT_SATISFIABLE,
  isCompressed,
  isHtmlPage,
  joinChunks,
  sentRange,
} from "./http-response.ts";
import { assertWithin, type ModelFile } from "./model-source.ts";

/** How often a request is repeated after a failure that may be temporary. */
export interface HttpRetries {
  readonly retries: number;
  /** Milliseconds before the first retry; they double with each one. */
  readonly delayMs: number;
}

/** A file at a server. */
export interface HttpAddress {
  readonly url: string;
  /** Its path within the model, for errors. */
  readonly path: string;
  readonly retries: HttpRetries;
}

/** A file that a server does not send in ranges is held in memory up to this size. */
const MAX_WHOLE_BYTES = 256 << 20;
/** Two, because sirv (the server of `vite preview`) answers the range 0-0 with the whole file. */
const PROBE_BYTES = 2;

/**
 * Asks for the first bytes. A server that supports ranges says how long the file is; another one sends the whole file, which
 * is then held in memory.
 *
 * @throws KleinbildError `missing-file`, `network`, or the signal's reason
 */
export async function openHttpFile(address: HttpAddress, signal?: AbortSignal): Promise<ModelFile> {
  return retrying(address, signal, async () => {
    const response = await request(address, 0, PROBE_BYTES, signal);
    if (response.status !== HTTP_PARTIAL) return wholeFile(await readWhole(response, address, signal), address.path);
    const size = expectRange(response, address, 0, PROBE_BYTES);
    await readRangeBody(response, address, Math.min(size, PROBE_BYTES), signal);
    return new RangedFile(address, size);
  });
}

function wholeFile(bytes: Uint8Array<ArrayBuffer>, path: string): ModelFile {
  return {
    size: bytes.length,
    read: async (offset, length, signal) => {
      signal?.throwIfAborted();
      assertWithin(path, bytes.length, offset, length);
      return bytes.slice(offset, offset + length);
    },
  };
}

/** Reads each range with a request of its own. */
class RangedFile implements ModelFile {
  readonly size: number;
  readonly #address: HttpAddress;

  constructor(address: HttpAddress, size: number) {
    this.size = size;
    this.#address = address;
  }

  async read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    signal?.throwIfAborted();
    assertWithin(this.#address.path, this.size, offset, length);
    if (length === 0) return new Uint8Array(0);
    return retrying(this.#address, signal, () => this.#readOnce(offset, length, signal));
  }

  async #readOnce(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    const response = await request(this.#address, offset, length, signal);
    const { status } = response;
    if (status !== HTTP_PARTIAL) {
      discardBody(response);
      throw failure(this.#address, `sent the whole file (status ${status}) instead of a range of it`, { status });
    }
    const sizeNow = expectRange(response, this.#address, offset, length);
    if (sizeNow !== this.size) {
      discardBody(response);
      throw failure(
        this.#address,
        `changed while it was read: it had ${this.size} bytes and has ${sizeNow} now; load the model again`,
      );
    }
    return readRangeBody(response, this.#address, length, signal);
  }
}

/** Repeats `work` after failures that may be temporary: no answer, a busy server, a broken connection. */
async function retrying<T>(
  { retries }: HttpAddress,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  return pRetry(work, {
    retries: retries.retries,
    minTimeout: retries.delayMs,
    signal,
    shouldRetry: ({ error }) => !signal?.aborted && isTemporary(error),
  });
}

function isTemporary(error: unknown): boolean {
  if (!(error instanceof KleinbildError) || error.code !== "network") return false;
  const { status } = error.details;
  return error.cause !== undefined || (typeof status === "number" && HTTP_BUSY.has(status));
}

/** A successful response that holds bytes of the file. */
async function request(
  address: HttpAddress,
  offset: number,
  length: number,
  signal: AbortSignal | undefined,
): Promise<Response> {
  const { url, path } = address;
  let response: Response;
  try {
    const range = `bytes=${offset}-${offset + length - 1}`;
    response = await fetch(url, { headers: { range }, signal: signal ?? null });
    if (response.status === HTTP_PARTIAL && isCompressed(response)) {
      // Chromium cuts ranges out of a cached response even if that is compressed: bypass the cache
      discardBody(response);
      response = await fetch(url, { headers: { range }, signal: signal ?? null, cache: "no-store" });
    }
  } catch (cause) {
    signal?.throwIfAborted();
    throw failure(address, "could not be reached", {}, cause);
  }
  const { ok, status } = response;
  if (ok && !isHtmlPage(response)) return response;
  discardBody(response);
  if (ok) throw new KleinbildError("missing-file", `${url} does not exist: the server sent an HTML page.`, { path });
  if (HTTP_ABSENT.has(status))
    throw new KleinbildError("missing-file", `${url} does not exist (status ${status}).`, { path, status });
  if (status === HTTP_RANGE_NOT_SATISFIABLE)
    throw new KleinbildError("invalid-model", `${url} has no byte ${offset} (status ${status}).`, { path, status });
  throw failure(address, `answered with status ${status}`, { status });
}

/** The size of the whole file. @throws when the response holds another range than the one that was asked for */
function expectRange(response: Response, address: HttpAddress, offset: number, length: number): number {
  const sent = sentRange(response, offset, length);
  if (sent) return sent.size;
  discardBody(response);
  throw failure(
    address,
    `was sent with the Content-Range "${response.headers.get("content-range") ?? ""}"; ` +
      `"bytes ${offset}-${offset + length - 1}/size" was expected. The server must send this header and expose it to other origins`,
  );
}

/** The body of a range: exactly `length` bytes. */
async function readRangeBody(
  response: Response,
  address: HttpAddress,
  length: number,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  if (isCompressed(response)) {
    discardBody(response);
    const encoding = response.headers.get("content-encoding");
    throw failure(address, `sent a compressed range (${encoding}); the server must not compress ranges`);
  }
  const bytes = await readBody(response, address, length, signal);
  if (bytes?.length === length) return bytes;
  throw failure(address, `sent ${bytes?.length ?? "more"} bytes for a range of ${length}`);
}

async function readWhole(
  response: Response,
  address: HttpAddress,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const announced = Number(response.headers.get("content-length") ?? 0);
  if (announced > MAX_WHOLE_BYTES) discardBody(response);
  else {
    const bytes = await readBody(response, address, MAX_WHOLE_BYTES, signal);
    if (bytes) return bytes;
  }
  throw failure(
    address,
    `is sent as a whole, which is accepted up to ${MAX_WHOLE_BYTES} bytes; the server must support range requests`,
  );
}

/** The body as one array; undefined when it is longer than `maxBytes`. */
async function readBody(
  response: Response,
  address: HttpAddress,
  maxBytes: number,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const reader = response.body?.getReader();
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  while (reader) {
    const { done, value } = await reader.read().catch((cause: unknown) => {
      signal?.throwIfAborted();
      throw failure(address, `was cut off after ${length} bytes`, {}, cause);
    });
    if (done) break;
    length += value.length;
    if (length > maxBytes) {
      reader.cancel().catch(() => {});
      return undefined;
    }
    chunks.push(value);
  }
  signal?.throwIfAborted();
  return joinChunks(chunks, length);
}

function failure(
  { url, path }: HttpAddress,
  what: string,
  details: ErrorDetails = {},
  cause?: unknown,
): KleinbildError {
  return new KleinbildError("network", `${shortened(url)} ${what}.`, { path, ...details }, { cause });
}

/** A `data:` address holds the whole file. */
function shortened(url: string): string {
  return url.length > 200 ? `${url.slice(0, 200)}…` : url;
}
