import { cacheNames, clientsClaim, registerQuotaErrorCallback } from "workbox-core";
import { addPlugins, cleanupOutdatedCaches, type PrecacheEntry, precacheAndRoute } from "workbox-precaching";
import { createPartialResponse } from "workbox-range-requests";
import { registerRoute } from "workbox-routing";
import { type FromServiceWorker, isSkipWaiting } from "./messages.ts";

/** The files of the page, onnxruntime's and klein-nano's, with a revision where their name has no hash. */
declare const PRECACHED: readonly PrecacheEntry[];
/** Files that are kept once somebody asked for them, as addresses relative to this one. */
declare const KEPT_ON_REQUEST: readonly string[];

/** What the types of a page do not have. */
interface Scope {
  readonly clients: {
    matchAll(options: { includeUncontrolled: boolean; type: "window" }): Promise<readonly Recipient[]>;
  };
  readonly location: Location;
  readonly registration: ServiceWorkerRegistration;
  skipWaiting(): Promise<void>;
  addEventListener(type: "activate", listener: (event: Extendable) => void): void;
  addEventListener(type: "message", listener: (event: MessageEvent<unknown>) => void): void;
}
interface Recipient {
  postMessage(message: FromServiceWorker, transfer: readonly Transferable[]): void;
}
interface Extendable {
  waitUntil(done: Promise<unknown>): void;
}

const scope = globalThis as unknown as Scope;
const MODELS = "kleinbild-models";
const keptOnRequest = new Set(KEPT_ON_REQUEST.map((path) => new URL(path, scope.location.href).href));

addPlugins([
  {
    cachedResponseWillBeUsed: async ({ request, cachedResponse }) => cachedResponse && wanted(request, cachedResponse),
  },
]);
precacheAndRoute([...PRECACHED], { cleanURLs: false, ignoreURLParametersMatching: [/./] });
cleanupOutdatedCaches();
registerRoute(({ url }) => keptOnRequest.has(url.href), answerKept);
clientsClaim(); // the first visit is kept for, too; an update waits, because nobody skips that unasked
registerQuotaErrorCallback(tellNoRoom);

scope.addEventListener("message", ({ data }) => {
  if (isSkipWaiting(data)) void scope.skipWaiting();
});
scope.addEventListener("activate", (event) => event.waitUntil(forgetOldModels()));

/** From the cache; the first time, the whole file is fetched for it, whatever part was asked for. */
async function answerKept({ request }: { readonly request: Request }): Promise<Response> {
  const cache = await caches.open(MODELS);
  const response = (await cache.match(request.url)) ?? (await fetch(request.url));
  if (response.status !== 200) return response;
  if (!(await cache.match(request.url))) await cache.put(request.url, response.clone()).catch(() => {}); // no room: it is read from the network next time
  return wanted(request, response);
}

/** What a request wants of a whole file: weights are read by ranges. */
async function wanted(request: Request, whole: Response): Promise<Response> {
  if (!request.headers.has("range")) return whole;
  const part = await createPartialResponse(request, whole);
  part.headers.delete("content-encoding"); // how it once came; what the cache has is decoded
  return part;
}

async function forgetOldModels(): Promise<void> {
  const cache = await caches.open(MODELS);
  const old = (await cache.keys()).filter(({ url }) => !keptOnRequest.has(url));
  await Promise.all(old.map((request) => cache.delete(request)));
}

/** Precaching found no room. What the first attempt has taken until then is given back. */
async function tellNoRoom(): Promise<void> {
  const pages = await scope.clients.matchAll({ includeUncontrolled: true, type: "window" });
  for (const page of pages) page.postMessage({ type: "no-room" }, []);
  if (!scope.registration.active) await caches.delete(cacheNames.precache);
}
