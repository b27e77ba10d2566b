import type { FetchHandler } from "./fetch-handler.ts";
import { isOffer, type ToPageMessage, type ToWorkerMessage } from "./service-worker-messages.ts";

/** The members of `navigator.serviceWorker` that are used. */
export interface ServiceWorkerSource {
  /** Listens for messages of service workers. */
  addEventListener(type: "message", listener: (event: MessageEvent) => void): void;
  /** Undoes `addEventListener`. */
  removeEventListener(type: "message", listener: (event: MessageEvent) => void): void;
  /** Delivers messages that wait. */
  startMessages?(): void;
}

/**
 * Answers requests that a service worker with `serveFromServiceWorker` forwards. The engine stays in this page.
 *
 * ```ts
 * const runner = createTaskRunner();
 * const stop = answerServiceWorker(createFetchHandler(runner, { media: runner.media }));
 * ```
 *
 * @param handler  from `createFetchHandler`, with the path that the worker serves
 * @param source   Default: `navigator.serviceWorker`
 * @returns stops answering
 */
export function answerServiceWorker(
  handler: FetchHandler,
  source: ServiceWorkerSource = navigator.serviceWorker,
): () => void {
  const listener = ({ data, ports: [port] }: MessageEvent<unknown>): void => {
    if (!port || !isOffer(data)) return;
    answerThrough(port, handler);
    post(port, { type: "kleinbild:ready" });
  };
  source.addEventListener("message", listener);
  source.startMessages?.();
  return () => source.removeEventListener("message", listener);
}

function answerThrough(port: MessagePort, handler: FetchHandler): void {
  const controller = new AbortController();
  port.addEventListener("message", ({ data }: MessageEvent<ToPageMessage>) => {
    if (data.type === "kleinbild:abort") controller.abort(new DOMException("The request was aborted.", "AbortError"));
    else void answer(port, handler, data, controller.signal);
  });
  port.start();
}

async function answer(
  port: MessagePort,
  handler: FetchHandler,
  { url, method, headers, body }: Extract<ToPageMessage, { readonly type: "kleinbild:request" }>,
  signal: AbortSignal,
): Promise<void> {
  try {
    const init = { method, headers: headers.map(([name, value]): [string, string] => [name, value]), signal };
    const response = await handler(new Request(url, body ? { ...init, body } : init));
    const bytes = await response.arrayBuffer();
    const { status } = response;
    post(port, { type: "kleinbild:response", status, headers: [...response.headers], body: bytes }, [bytes]);
  } catch (error) {
    post(port, { type: "kleinbild:failure", message: error instanceof Error ? error.message : String(error) });
  } finally {
    port.close();
  }
}

function post(port: MessagePort, message: ToWorkerMessage, transfer: Transferable[] = []): void {
  port.postMessage(message, transfer);
}
