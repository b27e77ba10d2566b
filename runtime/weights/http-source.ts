import { KleinbildError } from "../errors.ts";
import type { ModelFile, ModelSource } from "./source.ts";

/** The address of each file: below a base address, or a list of single addresses. */
export type ModelAddress = string | Readonly<Record<string, string>>;

/** A file that a server only sends whole is kept in memory up to this size. */
const MAX_WHOLE_BYTES = 256 << 20;
const HTTP_NOT_FOUND = 404;
const HTTP_PARTIAL = 206;

/** A model on a server, read by ranges. */
export class HttpSource implements ModelSource {
  readonly description: string;
  readonly #address: URL | Readonly<Record<string, string>>;
  readonly #files = new Map<string, ModelFile>();

  /** @throws KleinbildError `invalid-request` when the base address is not an absolute one */
  constructor(address: ModelAddress) {
    this.description = typeof address === "string" ? address : "the bundled files";
    this.#address = typeof address === "string" ? baseUrl(address) : address;
  }

  async exists(path: string, signal?: AbortSignal): Promise<boolean> {
    if (!(this.#address instanceof URL)) return Object.hasOwn(this.#address, path);
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
    const file = this.#files.get(path) ?? (await openUrl(this.#url(path), path, signal));
    this.#files.set(path, file);
    return file;
  }

  async close(): Promise<void> {
    this.#files.clear();
  }

  #url(path: string): string {
    if (this.#address instanceof URL) return new URL(path, this.#address).href;
    const url = Object.hasOwn(this.#address, path) ? this.#address[path] : undefined;
    if (url === undefined)
      throw new KleinbildError("missing-file", `${path} is not among the files of the model.`, { path });
    return url;
  }
}

function baseUrl(address: string): URL {
  if (!URL.canParse(address))
    throw new KleinbildError("invalid-request", `The model's address must be an absolute URL; got ${address}.`, {
      parameter: "model",
    });
  const base = new URL(address);
  if (!base.pathname.endsWith("/")) base.pathname += "/";
  return base;
}

/** Asks for one byte: a server that understands ranges tells the size, another one sends the whole file. */
async function openUrl(url: string, path: string, signal?: AbortSignal): Promise<ModelFile> {
  const response = await request(url, path, "bytes=0-0", signal);
  const bytes = await readBody(response, url, path, signal);
  if (response.status !== HTTP_PARTIAL) return wholeFile(bytes, path);
  const size = /\/(\d+)$/.exec(response.headers.get("content-range") ?? "")?.[1];
  if (size === undefined)
    throw new KleinbildError(
      "network",
      `${url} was sent in part without its size: the server must give Content-Range, and expose it to other origins.`,
      { path },
    );
  return {
    size: Number(size),
    read: (offset, length, readSignal) => readRange(url, path, offset, length, readSignal),
  };
}

function wholeFile(bytes: Uint8Array<ArrayBuffer>, path: string): ModelFile {
  return {
    size: bytes.length,
    read: async (offset, length, signal) => {
      signal?.throwIfAborted();
      if (offset + length > bytes.length)
        throw new KleinbildError(
          "invalid-model",
          `${path} ends at byte ${bytes.length}; ${offset + length} were expected.`,
          { path },
        );
      return bytes.slice(offset, offset + length);
    },
  };
}

async function readRange(
  url: string,
  path: string,
  offset: number,
  length: number,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  if (length === 0) return new Uint8Array(0);
  const response = await request(url, path, `bytes=${offset}-${offset + length - 1}`, signal);
  if (response.status !== HTTP_PARTIAL) {
    await response.body?.cancel();
    throw new KleinbildError("network", `${url} sent the whole file (status ${response.status}) for a range of it.`, {
      path,
      status: response.status,
    });
  }
  const bytes = await readBody(response, url, path, signal);
  if (bytes.length !== length)
    throw new KleinbildError("network", `${url} sent ${bytes.length} bytes for a range of ${length}.`, { path });
  return bytes;
}

async function request(url: string, path: string, range: string, signal?: AbortSignal): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { headers: { range }, signal: signal ?? null });
  } catch (cause) {
    signal?.throwIfAborted();
    throw new KleinbildError("network", `${url} could not be reached.`, { path }, { cause });
  }
  // servers of single-page sites answer what they do not have with their start page
  const isPage = response.headers.get("content-type")?.startsWith("text/html") === true;
  if (response.ok && !isPage) return response;
  await response.body?.cancel();
  if (response.ok || response.status === HTTP_NOT_FOUND)
    throw new KleinbildError("missing-file", `${url} is not there (${isPage ? "a page came instead" : "404"}).`, {
      path,
    });
  throw new KleinbildError("network", `${url} answered with status ${response.status}.`, {
    path,
    status: response.status,
  });
}

/** The body as one array of at most `MAX_WHOLE_BYTES`. */
async function readBody(
  response: Response,
  url: string,
  path: string,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const tooLong = (bytes: number): KleinbildError =>
    new KleinbildError(
      "network",
      `${url} sends at least ${bytes} bytes at once; without ranges at most ${MAX_WHOLE_BYTES} are taken.`,
      { path, bytes },
    );
  const announced = Number(response.headers.get("content-length") ?? 0);
  if (announced > MAX_WHOLE_BYTES) {
    await response.body?.cancel();
    throw tooLong(announced);
  }
  const reader = response.body?.getReader();
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  while (reader) {
    const { done, value } = await reader.read().catch((cause: unknown) => {
      signal?.throwIfAborted();
      throw new KleinbildError(
        "network",
        `The connection to ${url} was cut after ${length} bytes.`,
        { path },
        { cause },
      );
    });
    if (done) break;
    length += value.length;
    if (length > MAX_WHOLE_BYTES) {
      await reader.cancel();
      throw tooLong(length);
    }
    chunks.push(value);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
