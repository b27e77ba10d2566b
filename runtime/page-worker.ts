import { KleinbildError } from "./errors.ts";
import type { ModelAddress } from "./weights/http-source.ts";

/** The worker of `kleinbild/worker`, beside this module. */
export function startWorker(): Worker {
  return new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "kleinbild" });
}

/** Rejects when the worker ends by itself. */
export function workerDeath(worker: Worker): Promise<never> {
  const died = new Promise<never>((_, reject) => {
    worker.addEventListener("error", (event) => {
      const message = `The engine's worker failed: ${event.message || "it could not be loaded"}.`;
      reject(new KleinbildError("worker-died", message, {}, { cause: event.error }));
    });
    worker.addEventListener("messageerror", () =>
      reject(new KleinbildError("worker-died", "A message of the engine's worker could not be read.")),
    );
  });
  died.catch(() => {}); // met by whoever waits for the engine; an idle one may end unheard
  return died;
}

/** Absolute addresses: the worker has another base than the page. */
export function resolveModel(model: string | URL | Readonly<Record<string, string | URL>>): ModelAddress {
  if (typeof model === "string" || model instanceof URL) return resolveUrl(model);
  return Object.fromEntries(Object.entries(model).map(([path, url]) => [path, resolveUrl(url)]));
}

/** @throws KleinbildError `invalid-request` */
export function resolveUrl(url: string | URL): string {
  if (!URL.canParse(String(url), document.baseURI))
    throw new KleinbildError("invalid-request", `An address was expected; got ${String(url)}.`, { url: String(url) });
  return new URL(url, document.baseURI).href;
}
