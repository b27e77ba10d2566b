import pRetry from "p-retry";
import { type ErrorDetails, KleinbildError } from "../../errors.ts";
import { joinChunks } from "./http-response.ts";
import { assertWithin, type ModelFile, type ModelSource } from "./model-source.ts";

/**
 * The address below which the files lie, or the address of each file by its path. Addresses are absolute. Single files
 * may be `data:` addresses (bundlers inline small ones) and, in browsers, `blob:` ones (Node 20 answers ranges of those
 * one byte short); `file:` is refused, since `fetch` does not read it.
 * What goes to a worker must be strings: a URL object cannot be cloned.
 */
export type ModelAddress = string | URL | Readonly<Record<string, string | URL>>;

/** A file that a server only sends whole is kept in memory up to this size. */
const MAX_WHOLE_BYTES = 256 << 20;
/** Two, since sirv, which `vite preview` serves with, takes the range 0-0 for the whole file. */
const PROBE_BYTES = 2;
/** Answers that pass: the request is made again. */
const HTTP_BUSY: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);
const HTTP_PARTIAL = 206;
const HTTP_NOT_FOUND = 404;
const HTTP_GONE = 410;
const HTTP_RANGE_NOT_SATISFIABLE = 416;

/** A file as requests name it. */
interface Place {
  readonly url: string;
  /** Its path within the model, for errors. */
  readonly path: string;
  readonly retries: HttpRetries;
}

/** How often a request is made again that failed in a way that may pass. */
export interface HttpRetries {
  readonly retries: number;
  /** Wait before the first; it doubles from one to the next. */
  readonly delayMs: number;
}

const RETRIES: HttpRetries = { retries: 4, delayMs: 500 };

/** A model on a server, read by ranges. */
export class HttpSource implements ModelSource {
  readonly description: string;
  readonly #retries: HttpRetries;
  readonly #address: URL | ReadonlyMap<string, string>;
  readonly #files = new Map<string, ModelFile>();

  /** @throws KleinbildError `invalid-request` when an address is not absolute, or not one that `fetch` reads */
  constructor(address: ModelAddress, retries: HttpRetries = RETRIES) {
    this.#retries = retries;
    if (typeof address === "string" || address instanceof URL) {
      this.#address = baseUrl(address);
      this.description = this.#address.href;
    } else {
      this.#address = new Map(Object.entries(address).map(([path, url]) => [path, parseAddress(url).href]));
      this.description = "the listed files";
    }
  }

  async exists(path: string, signal?: AbortSignal): Promise<boolean> {
    if (!(this.#address instanceof URL)) return this.#address.has(path);
    try {
      await this.open(path, signal);
      return true;
    } catch (error) {
      if (error instanceof KleinbildError && error.code === "missing-file") return false;
      throw error;
    }
  }

  async open(path: string, signal?: AbortSignal): Promise<ModelFile> {
    // only what has been opened is shared: a pending open belongs to its caller's signal
    const file =
      this.#files.get(path) ?? (await openUrl({ url: this.urlOf(path), path, retries: this.#retries }, signal));
    this.#files.set(path, file);
    return file;
  }

  async list(): Promise<readonly string[] | undefined> {
    return this.#address instanceof URL ? undefined : [...this.#address.keys()].toSorted();
  }

  async close(): Promise<void> {
    this.#files.clear();
  }

  /** The address of a file. @throws KleinbildError `missing-file` for one that is not listed */
  urlOf(path: string): string {
    if (this.#address instanceof URL) {
      const url = new URL(path, this.#address);
      url.search = this.#address.search; // an access token, say
      return url.href;
    }
    const url = this.#address.get(path);
    if (url === undefined)
      throw new KleinbildError("missing-file", `${path} is not among the files of the model.`, { path });
    return url;
  }
}

function baseUrl(address: string | URL): URL {
  const base = parseAddress(address);
  if (!URL.canParse("model_index.json", base))
    throw invalidAddress(`A model's address must be that of a folder; got ${base.protocol}, which has no folders.`);
  if (!base.pathname.endsWith("/")) base.pathname += "/";
  return base;
}

function parseAddress(address: string | URL): URL {
  if (!URL.canParse(String(address)))
    throw invalidAddress(
      `A model's address must be absolute, for example https://example.org/model/; got ${String(address)}.`,
    );
  const url = new URL(address);
  if (url.protocol === "file:")
    throw invalidAddress(`${url.href} cannot be fetched: take its folder's path in Node, and a server for a page.`);
  return url;
}

function invalidAddress(message: string): KleinbildError {
  return new KleinbildError("invalid-request", message, { parameter: "model" });
}

/** Asks for the first bytes: a server that understands ranges tells the size, another one sends the whole file. */
async function openUrl(place: Place, signal?: AbortSignal): Promise<ModelFile> {
  return retrying(place, signal, () => openOnce(place, signal));
}

async function openOnce(place: Place, signal?: AbortSignal): Promise<ModelFile> {
  const response = await request(place, 0, PROBE_BYTES, signal);
  if (response.status !== HTTP_PARTIAL) return wholeFile(await readWhole(response, place, signal), place.path);
  const size = sizeFromRange(response, place, 0, PROBE_BYTES);
  await readPart(response, place, Math.min(size, PROBE_BYTES), signal);
  return { size, read: (offset, length, signal) => readRange(place, size, offset, length, signal) };
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

async function readRange(
  place: Place,
  size: number,
  offset: number,
  length: number,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  signal?.throwIfAborted();
  assertWithin(place.path, size, offset, length);
  if (length === 0) return new Uint8Array(0);
  return retrying(place, signal, () => readRangeOnce(place, size, offset, length, signal));
}

async function readRangeOnce(
  place: Place,
  size: number,
  offset: number,
  length: number,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const response = await request(place, offset, length, signal);
  if (response.status !== HTTP_PARTIAL) {
    discard(response);
    throw failure(place, `sent the whole file (status ${response.status}) for a range of it`, {
      status: response.status,
    });
  }
  const sizeNow = sizeFromRange(response, place, offset, length);
  if (sizeNow !== size) {
    discard(response);
    throw failure(place, `changed while it was read: it had ${size} bytes and has ${sizeNow} now`);
  }
  return readPart(response, place, length, signal);
}

/** Runs `work` again after failures that may pass: no answer, a busy server, a connection that broke. */
async function retrying<T>({ retries }: Place, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  return pRetry(work, {
    retries: retries.retries,
    minTimeout: retries.delayMs,
    signal,
    shouldRetry: ({ error }) => !signal?.aborted && isPassing(error),
  });
}

function isPassing(error: unknown): boolean {
  if (!(error instanceof KleinbildError) || error.code !== "network") return false;
  const { status } = error.details;
  return error.cause !== undefined || (typeof status === "number" && HTTP_BUSY.has(status));
}

/** A response with a body that is wanted. */
async function request(place: Place, offset: number, length: number, signal?: AbortSignal): Promise<Response> {
  let response: Response;
  try {
    const range = `bytes=${offset}-${offset + length - 1}`;
    response = await fetch(place.url, { headers: { range }, signal: signal ?? null });
    if (response.status === HTTP_PARTIAL && isCompressed(response)) {
      // Chromium cuts ranges out of what its cache has whole, also where that came compressed: ask the server itself
      discard(response);
      response = await fetch(place.url, { headers: { range }, signal: signal ?? null, cache: "no-store" });
    }
  } catch (cause) {
    signal?.throwIfAborted();
    throw failure(place, "could not be reached", {}, cause);
  }
  const { ok, status, headers } = response;
  // servers of single-page sites answer what they do not have with their start page
  const isPage = headers.get("content-type")?.startsWith("text/html") === true;
  if (ok && !isPage) return response;
  discard(response);
  const { url, path } = place;
  if (ok) throw new KleinbildError("missing-file", `${url} is not there: a page came instead.`, { path });
  if (status === HTTP_NOT_FOUND || status === HTTP_GONE)
    throw new KleinbildError("missing-file", `${url} is not there (status ${status}).`, { path, status });
  if (status === HTTP_RANGE_NOT_SATISFIABLE)
    throw new KleinbildError("invalid-model", `${url} has no byte ${offset} (status ${status}).`, { path, status });
  throw failure(place, `answered with status ${status}`, { status });
}

/** The size of the whole file, from the header that says which part of it was sent. @throws when it is another part */
function sizeFromRange(response: Response, place: Place, offset: number, length: number): number {
  const sent = response.headers.get("content-range") ?? "";
  const end = offset + length - 1;
  const [, first, last, size] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(sent) ?? [];
  if (Number(first) === offset && Number(last) === Math.min(end, Number(size) - 1)) return Number(size);
  discard(response);
  throw failure(
    place,
    `was sent in part with the Content-Range "${sent}" where "bytes ${offset}-${end}/size" was expected; ` +
      "the server must give it, and expose it to other origins",
  );
}

/** The body of a range: exactly `length` bytes. */
async function readPart(
  response: Response,
  place: Place,
  length: number,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  if (isCompressed(response)) {
    discard(response);
    const encoding = response.headers.get("content-encoding");
    throw failure(place, `sent a range compressed (${encoding}); the server must send it as it is`);
  }
  const bytes = await readBody(response, place, length, signal);
  if (bytes?.length === length) return bytes;
  throw failure(place, `sent ${bytes?.length ?? "more"} bytes for a range of ${length}`);
}

function isCompressed({ headers }: Response): boolean {
  return (headers.get("content-encoding") ?? "identity") !== "identity";
}

async function readWhole(response: Response, place: Place, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  const announced = Number(response.headers.get("content-length") ?? 0);
  if (announced > MAX_WHOLE_BYTES) discard(response);
  else {
    const bytes = await readBody(response, place, MAX_WHOLE_BYTES, signal);
    if (bytes) return bytes;
  }
  throw failure(
    place,
    `is sent whole, which is taken up to ${MAX_WHOLE_BYTES} bytes; the server must answer requests for ranges`,
  );
}

/** The body as one array; undefined when it is longer than `most`. */
async function readBody(
  response: Response,
  place: Place,
  most: number,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const reader = response.body?.getReader();
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  while (reader) {
    const { done, value } = await reader.read().catch((cause: unknown) => {
      signal?.throwIfAborted();
      throw failure(place, `was cut off after ${length} bytes`, {}, cause);
    });
    if (done) break;
    length += value.length;
    if (length > most) {
      reader.cancel().catch(IGNORE);
      return undefined;
    }
    chunks.push(value);
  }
  signal?.throwIfAborted();
  return joinChunks(chunks, length);
}

/** How a connection ends that is given up does not matter. */
const IGNORE = (): void => {};

function discard(response: Response): void {
  response.body?.cancel().catch(IGNORE);
}

function failure({ url, path }: Place, what: string, details: ErrorDetails = {}, cause?: unknown): KleinbildError {
  return new KleinbildError("network", `${shortened(url)} ${what}.`, { path, ...details }, { cause });
}

/** A `data:` address holds the whole file. */
function shortened(url: string): string {
  return url.length > 200 ? `${url.slice(0, 200)}…` : url;
}
