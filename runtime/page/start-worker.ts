import { KleinbildError } from "../errors.ts";
import type { PageModel } from "../models/page-location.ts";
import { connectHost } from "../remote/comlink-port.ts";
import type { EngineHandle } from "../remote/engine-handle.ts";
import type { EngineWork } from "../remote/protocol.ts";
import { blobsOf } from "../weights/sources/blob-source.ts";
import { BrowserImageCodec } from "./browser-image-codec.ts";

/**
 * A model: the address of a folder in diffusers layout, `stored:` and the id of a stored model, the files by their paths in
 * the model (addresses, or Blobs that the user picked), or the picked files. Relative addresses are relative to the page.
 */
export type ModelInput = string | URL | Readonly<Record<string, string | URL | Blob>> | readonly File[];

/** Starts the worker beside this module. */
export function startWorker(): Worker {
  return new Worker(new URL("../worker.ts", import.meta.url), { type: "module", name: "kleinbild" });
}

/** Aborts when the worker ends by itself, with a KleinbildError `worker-died` as its reason. */
export function workerDeath(worker: Worker): AbortSignal {
  const death = new AbortController();
  worker.addEventListener("error", (event) => {
    const message = `The worker failed: ${event.message || "it could not be loaded"}.`;
    death.abort(new KleinbildError("worker-died", message, {}, { cause: event.error }));
  });
  worker.addEventListener("messageerror", () =>
    death.abort(new KleinbildError("worker-died", "A message of the worker could not be read.")),
  );
  return death.signal;
}

/** The engine or library of a worker. */
export function workerHandle<Options>(worker: Worker): EngineHandle<Options> {
  return {
    host: connectHost<EngineWork<Options>>(worker),
    codec: new BrowserImageCodec(),
    died: workerDeath(worker),
    close: () => worker.terminate(),
  };
}

/** The model with absolute addresses, because the base URL of the worker is another one. */
export function resolveModel(model: ModelInput): PageModel {
  if (typeof model === "string" || model instanceof URL) return resolveUrl(model);
  if (isFiles(model)) return blobsOf(model);
  const entries = Object.entries(model);
  const blobs = entries.filter((entry): entry is [string, Blob] => entry[1] instanceof Blob);
  if (blobs.length === 0)
    return Object.fromEntries(entries.map(([path, url]) => [path, resolveUrl(url as string | URL)]));
  if (blobs.length === entries.length) return Object.fromEntries(blobs);
  // an object URL serves as the address of a picked file
  return Object.fromEntries(
    entries.map(([path, file]) => [path, file instanceof Blob ? URL.createObjectURL(file) : resolveUrl(file)]),
  );
}

function isFiles(model: ModelInput): model is readonly File[] {
  return Array.isArray(model);
}

/** @throws KleinbildError `invalid-request` */
export function resolveUrl(url: string | URL): string {
  if (!URL.canParse(String(url), document.baseURI))
    throw new KleinbildError("invalid-request", `An address was expected; got ${String(url)}.`, { url: String(url) });
  return new URL(url, document.baseURI).href;
}
