import { serveFromServiceWorker, type ServiceWorkerScope } from "../../../runtime/task/serve/service-worker.ts";

/** What the types of a page do not have. */
type Scope = ServiceWorkerScope & {
  readonly clients: { claim(): Promise<void> };
  addEventListener(type: "activate", listener: (event: { waitUntil(done: Promise<void>): void }) => void): void;
};

const scope = globalThis as unknown as Scope;
serveFromServiceWorker(scope, { url: "https://api.example.com/v1", offerTimeoutMs: 1000 });
scope.addEventListener("activate", (event) => event.waitUntil(scope.clients.claim()));
