import { KleinbildError } from "../../errors.ts";
import { type HttpRetries, openHttpFile } from "./http-file.ts";
import type { ModelFile, ModelSource } from "./model-source.ts";

/**
 * The absolute address of the folder that holds the files, or the absolute address of each file by its path.
 *
 * Single files may have `data:` addresses (bundlers inline small files) and, in browsers, `blob:` addresses (Node 20
 * answers their ranges one byte short). `file:` is refused because `fetch` does not read it.
 *
 * Workers need strings: a URL object cannot be cloned.
 */
export type ModelAddress = string | URL | Readonly<Record<string, string | URL>>;

const RETRIES: HttpRetries = { retries: 4, delayMs: 500 };

/** A model on a server, read in ranges. */
export class HttpSource implements ModelSource {
  readonly description: string;
  readonly #retries: HttpRetries;
  readonly #address: URL | ReadonlyMap<string, string>;
  readonly #files = new Map<string, ModelFile>();

  /** @throws KleinbildError `invalid-request` when an address is relative or `fetch` cannot read it */
  constructor(address: ModelAddress, retries: HttpRetries = RETRIES) {
    this.#retries = retries;
    if (typeof address === "string" || address instanceof URL) {
      this.#address = folderUrl(address);
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
    // a pending open is not shared: an abort of one caller must not fail another
    const file =
      this.#files.get(path) ?? (await openHttpFile({ url: this.urlOf(path), path, retries: this.#retries }, signal));
    this.#files.set(path, file);
    return file;
  }

  async list(): Promise<readonly string[] | undefined> {
    return this.#address instanceof URL ? undefined : [...this.#address.keys()].toSorted();
  }

  async close(): Promise<void> {
    this.#files.clear();
  }

  /** The address of a file. @throws KleinbildError `missing-file` when the files are listed and this one is not */
  urlOf(path: string): string {
    if (this.#address instanceof URL) {
      const url = new URL(path, this.#address);
      url.search = this.#address.search; // an access token, for example
      return url.href;
    }
    const url = this.#address.get(path);
    if (url === undefined)
      throw new KleinbildError("missing-file", `${path} is not among the files of the model.`, { path });
    return url;
  }
}

function folderUrl(address: string | URL): URL {
  const folder = parseAddress(address);
  if (!URL.canParse("model_index.json", folder))
    throw invalidAddress(`The address of a model must be a folder; got ${folder.protocol}, which has no folders.`);
  if (!folder.pathname.endsWith("/")) folder.pathname += "/";
  return folder;
}

function parseAddress(address: string | URL): URL {
  if (!URL.canParse(String(address)))
    throw invalidAddress(
      `The address of a model must be absolute, for example https://example.org/model/; got ${String(address)}.`,
    );
  const url = new URL(address);
  if (url.protocol === "file:")
    throw invalidAddress(
      `${url.href} cannot be fetched. In Node, give the path of the folder; for a page, use a server.`,
    );
  return url;
}

function invalidAddress(message: string): KleinbildError {
  return new KleinbildError("invalid-request", message, { parameter: "model" });
}
