/**
 * For the service worker of a site: forwards the task API to an open page that has an engine.
 *
 * @example
 * ```ts
 * import { serveFromServiceWorker } from "kleinbild/service-worker";
 *
 * serveFromServiceWorker(self, { url: "/v1" });
 * ```
 *
 * @module kleinbild/service-worker
 * @packageDocumentation
 */

import { refusal } from "./api-response.ts";
import { readLimitedBody } from "../net/limited-body.ts";
import type { OfferMessage, ToPageMessage, ToWorkerMessage } from "./service-worker-messages.ts";
import { MAX_REQUEST_BYTES } from "../schema/task-list.ts";

/** The members of `ServiceWorkerGlobalScope` that are used. */
export interface ServiceWorkerScope {
  /** Address of the worker's script. */
  readonly location: {
    /** The whole address. */
    readonly href: string;
  };
  /** The pages. */
  readonly clients: {
    /** Finds all pages of the origin. */
    matchAll(options: { readonly type: "window"; readonly includeUncontrolled: true }): Promise<readonly PageClient[]>;
  };
  /** Listens for requests of pages. */
  addEventListener(type: "fetch", listener: (event: FetchEventLike) => void): void;
  /** Undoes `addEventListener`. */
  removeEventListener(type: "fetch", listener: (event: FetchEventLike) => void): void;
}

/** The members of `WindowClient` that are used. */
export interface PageClient {
  /** Sends a message to the page. */
  postMessage(message: unknown, transfer: Transferable[]): void;
}

/** The members of `FetchEvent` that are used. */
export interface FetchEventLike {
  /** The request of the page. */
  readonly request: Request;
  /** Answers it. */
  respondWith(response: Promise<Response>): void;
}

/** Options of `serveFromServiceWorker`. */
export interface ServiceWorkerOptions {
  /** The address that is answered, with its `/media/` below it. Relative to the worker's script. Default: `/v1`. */
  readonly url?: string | undefined;
  /** Most bytes of a body; larger ones are answered with 413. Default: 64 MiB. */
  readonly maxBodyBytes?: number | undefined;
  /** Milliseconds that pages have to offer an answer. Default: 5000. */
  readonly offerTimeoutMs?: number | undefined;
}

/**
 * Forwards requests to one address to a page that has called `answerServiceWorker`. Without such a page the answer is 503.
 * Other requests go to the network. Call it when the worker's script starts.
 *
 * ```ts
 * import { serveFromServiceWorker } from "kleinbild/service-worker";
 * serveFromServiceWorker(self, { url: "/v1" });
 * ```
 *
 * @returns stops forwarding
 */
export function serveFromServiceWorker(scope: ServiceWorkerScope, options: ServiceWorkerOptions = {}): () => void {
  const { url = "/v1", maxBodyBytes = MAX_REQUEST_BYTES, offerTimeoutMs = 5000 } = options;
  const { origin, pathname: path } = new URL(url, scope.location.href);
  const listener = (event: FetchEventLike): void => {
    const asked = new URL(event.request.url);
    const isOurs = asked.pathname === path || asked.pathname.startsWith(`${path}/media/`);
    if (isOurs && asked.origin === origin)
      event.respondWith(forward(scope, event.request, maxBodyBytes, offerTimeoutMs));
  };
  scope.addEventListener("fetch", listener);
  return () => scope.removeEventListener("fetch", listener);
}

async function forward(
  scope: ServiceWorkerScope,
  request: Request,
  maxBodyBytes: number,
  offerTimeoutMs: number,
): Promise<Response> {
  const body = await readLimitedBody(request, maxBodyBytes);
  if (!body) return refusal(413, "requestTooLarge", `A request has up to ${maxBodyBytes} bytes.`);
  const port = await findPage(scope, offerTimeoutMs);
  if (!port) return refusal(503, "serviceUnavailable", "No open page of this site has an engine.");
  return ask(port, request, body.buffer);
}

/** The port to the first page that answers. */
async function findPage(scope: ServiceWorkerScope, timeoutMs: number): Promise<MessagePort | undefined> {
  const clients = await scope.clients.matchAll({ type: "window", includeUncontrolled: true });
  const offers = clients.map((client) => {
    const { port1, port2 } = new MessageChannel();
    const ready = new Promise<MessagePort>((resolve) => {
      port1.addEventListener("message", () => resolve(port1), { once: true });
    });
    port1.start();
    client.postMessage({ type: "kleinbild:offer" } satisfies OfferMessage, [port2]);
    return { port: port1, ready };
  });
  if (offers.length === 0) return undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), timeoutMs);
  });
  const found = await Promise.race([timeout, ...offers.map(({ ready }) => ready)]);
  clearTimeout(timer);
  for (const { port } of offers) if (port !== found) port.close();
  return found;
}

async function ask(port: MessagePort, request: Request, body: ArrayBuffer): Promise<Response> {
  const { url, method, headers, signal } = request;
  const abort = (): void => post(port, { type: "kleinbild:abort" });
  try {
    return await new Promise<Response>((resolve, reject) => {
      port.addEventListener("message", ({ data }: MessageEvent<ToWorkerMessage>) => {
        if (data.type === "kleinbild:response") resolve(toResponse(data));
        else if (data.type === "kleinbild:failure") reject(new TypeError(data.message));
      });
      // newer browsers report that the page was closed
      port.addEventListener("close", () =>
        resolve(refusal(503, "serviceUnavailable", "The page with the engine was closed.")),
      );
      signal.addEventListener("abort", abort);
      const sent = body.byteLength > 0 ? body : undefined;
      post(port, { type: "kleinbild:request", url, method, headers: [...headers], body: sent }, sent ? [sent] : []);
      if (signal.aborted) abort();
    });
  } finally {
    signal.removeEventListener("abort", abort);
    port.close();
  }
}

function toResponse({
  status,
  headers,
  body,
}: Extract<ToWorkerMessage, { readonly type: "kleinbild:response" }>): Response {
  const copied = headers.map(([name, value]): [string, string] => [name, value]);
  return new Response(body.byteLength > 0 ? body : null, { status, headers: copied });
}

function post(port: MessagePort, message: ToPageMessage, transfer: Transferable[] = []): void {
  port.postMessage(message, transfer);
}
