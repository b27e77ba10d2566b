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
  readonly #address: ModelAddress;
  readonly #files = new Map<string, Promise<ModelFile>>();

  constructor(address: ModelAddress) {
    this.#address = address;
    this.description = typeof address === "string" ? address : "the bundled files";
  }

  async exists(path: string, signal?: AbortSignal): Promise<boolean> {
    if (typeof this.#address !== "string") return path in this.#address;
    try {
      await this.open(path, signal);
      return true;
    } catch (error) {
      if (error instanceof KleinbildError && error.code === "missing-file") return false;
      throw error;
    }
  }

  open(path: string, signal?: AbortSignal): Promise<ModelFile> {
    let file = this.#files.get(path);
    if (!file) {
      file = openUrl(this.#url(path), path, signal);
      file.catch(() => this.#files.delete(path)); // the next open tries again
      this.#files.set(path, file);
    }
    return file;
  }

  async close(): Promise<void> {
    this.#files.clear();
  }

  #url(path: string): string {
    if (typeof this.#address === "string") return new URL(path, this.#address.endsWith("/") ? this.#address : `${this.#address}/`).href;
    const url = this.#address[path];
    if (url === undefined) throw new KleinbildError("missing-file", `${path} is not among the files of the model.`, { path });
    return url;
  }
}

/** Asks for one byte: a server that understands ranges tells the size, another one sends the whole file. */
async function openUrl(url: string, path: string, signal?: AbortSignal): Promise<ModelFile> {
  const response = await request(url, path, { headers: { range: "bytes=0-0" }, signal: signal ?? null });
  const total = /\/(\d+)$/.exec(response.headers.get("content-range") ?? "")?.[1];
  if (response.status === HTTP_PARTIAL && total !== undefined) {
    await response.arrayBuffer();
    return { size: Number(total), read: (offset, length, readSignal) => readRange(url, path, offset, length, readSignal) };
  }
  const length = Number(response.headers.get("content-length") ?? 0);
  if (length > MAX_WHOLE_BYTES)
    throw new KleinbildError("network", `${url} has ${length} bytes, and its server sends no ranges; at most ${MAX_WHOLE_BYTES} are taken whole.`, { path });
  const whole = new Uint8Array(await body(response, url));
  return {
    size: whole.length,
    read: async (offset, count) => {
      if (offset + count > whole.length)
        throw new KleinbildError("invalid-model", `${path} ends at byte ${whole.length}; ${offset + count} were expected.`, { path });
      return whole.slice(offset, offset + count);
    },
  };
}

async function readRange(url: string, path: string, offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  if (length === 0) return new Uint8Array(0);
  const response = await request(url, path, { headers: { range: `bytes=${offset}-${offset + length - 1}` }, signal: signal ?? null });
  const bytes = new Uint8Array(await body(response, url));
  if (response.status !== HTTP_PARTIAL || bytes.length !== length)
    throw new KleinbildError("network", `${url} sent ${bytes.length} bytes (status ${response.status}) for a range of ${length}.`, { path });
  return bytes;
}

async function request(url: string, path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch (cause) {
    init.signal?.throwIfAborted();
    throw new KleinbildError("network", `${url} could not be reached.`, { path }, { cause });
  }
  if (response.ok) return response;
  await response.body?.cancel();
  if (response.status === HTTP_NOT_FOUND) throw new KleinbildError("missing-file", `${url} is not there (404).`, { path });
  throw new KleinbildError("network", `${url} answered with status ${response.status}.`, { path, status: response.status });
}

async function body(response: Response, url: string): Promise<ArrayBuffer> {
  try {
    return await response.arrayBuffer();
  } catch (cause) {
    if (cause instanceof Error && cause.name === "AbortError") throw cause;
    throw new KleinbildError("network", `The connection to ${url} was cut.`, {}, { cause });
  }
}
