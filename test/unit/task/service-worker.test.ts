import { describe, expect, it, vi } from "vitest";
import { createFetchHandler, type FetchHandler } from "../../../runtime/task/serve/fetch-handler.ts";
import { MediaStore } from "../../../runtime/task/media/media-store.ts";
import { answerServiceWorker, type ServiceWorkerSource } from "../../../runtime/task/serve/service-worker-page.ts";
import {
  type FetchEventLike,
  serveFromServiceWorker,
  type ServiceWorkerOptions,
  type ServiceWorkerScope,
} from "../../../runtime/task/serve/service-worker.ts";
import { untilAborted } from "../../support/deferred.ts";
import { FakeTaskRunner } from "../../support/fake-task-runner.ts";
import { TASK } from "./tasks.ts";

const SITE = "https://shop.example";
const INIT = { method: "POST", body: JSON.stringify([TASK]), headers: { "content-type": "application/json" } };

/** A page of the site. Messages of the worker arrive in a later turn, with their ports. */
class FakePage implements ServiceWorkerSource {
  readonly #listeners = new Set<(event: MessageEvent) => void>();
  offers = 0;

  postMessage(data: unknown, transfer: Transferable[]): void {
    this.offers++;
    const ports = transfer as MessagePort[];
    queueMicrotask(() => this.#listeners.forEach((listener) => listener({ data, ports } as unknown as MessageEvent)));
  }

  addEventListener(_type: "message", listener: (event: MessageEvent) => void): void {
    this.#listeners.add(listener);
  }

  removeEventListener(_type: "message", listener: (event: MessageEvent) => void): void {
    this.#listeners.delete(listener);
  }
}

interface Site {
  /** @returns the answer of the worker; undefined if it leaves the request to the network */
  readonly ask: (url: string, init?: RequestInit) => Promise<Response> | undefined;
  readonly stop: () => void;
}

function site(pages: readonly FakePage[], options?: ServiceWorkerOptions): Site {
  const listeners = new Set<(event: FetchEventLike) => void>();
  const scope: ServiceWorkerScope = {
    location: { href: `${SITE}/worker.js` },
    clients: { matchAll: async () => pages },
    addEventListener: (_type, listener) => void listeners.add(listener),
    removeEventListener: (_type, listener) => void listeners.delete(listener),
  };
  const stop = serveFromServiceWorker(scope, options);
  return {
    stop,
    ask: (url, init) => {
      let response: Promise<Response> | undefined;
      const request = new Request(new URL(url, SITE), init);
      for (const listener of listeners) listener({ request, respondWith: (given) => (response = given) });
      return response;
    },
  };
}

function pageWith(handler: FetchHandler): FakePage {
  const page = new FakePage();
  answerServiceWorker(handler, page);
  return page;
}

describe("a service worker", () => {
  it("answers POST /v1 by the page that keeps the engine, also when others are open", async () => {
    const runner = new FakeTaskRunner();
    const pages = [new FakePage(), pageWith(createFetchHandler(runner)), new FakePage()];
    const response = await site(pages).ask("/v1", INIT)!;
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(await response.json()).toMatchObject({ data: [{ taskUUID: TASK.taskUUID }] });
    expect(runner.calls).toHaveLength(1);
    expect(pages.map(({ offers }) => offers)).toEqual([1, 1, 1]);
  });

  it("passes on requests that the page refuses", async () => {
    const { ask } = site([pageWith(createFetchHandler(new FakeTaskRunner(), { apiKey: "secret" }))]);
    expect((await ask("/v1", INIT))!.status).toBe(401);
    expect((await ask("/v1"))!.status).toBe(405);
    const authorization = "Bearer secret";
    expect((await ask("/v1", { ...INIT, headers: { ...INIT.headers, authorization } }))!.status).toBe(200);
  });

  it("gives pictures", async () => {
    const media = new MediaStore();
    const { uuid } = media.put(new Uint8Array([1, 2, 3]), "image/png");
    const { ask } = site([pageWith(createFetchHandler(new FakeTaskRunner(), { media }))]);
    const response = await ask(`/v1/media/${uuid}.png`)!;
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(new Uint8Array([1, 2, 3]));
  });

  it.each(["/", "/v11", "/v1/other", "https://api.example.com/v1"])("leaves %s to the network", (url) => {
    expect(site([pageWith(createFetchHandler(new FakeTaskRunner()))]).ask(url, INIT)).toBeUndefined();
  });

  it("answers for the configured address of another site, until it is stopped", async () => {
    const url = "https://api.example.com/v1";
    const { ask, stop } = site([pageWith(createFetchHandler(new FakeTaskRunner()))], { url });
    expect((await ask(url, INIT))!.status).toBe(200);
    expect(ask("/v1", INIT)).toBeUndefined();
    stop();
    expect(ask(url, INIT)).toBeUndefined();
  });

  it("refuses a body above the limit before it asks a page", async () => {
    const page = pageWith(createFetchHandler(new FakeTaskRunner()));
    const { length } = INIT.body;
    expect((await site([page], { maxBodyBytes: length - 1 }).ask("/v1", INIT))!.status).toBe(413);
    expect(page.offers).toBe(0);
    expect((await site([page], { maxBodyBytes: length }).ask("/v1", INIT))!.status).toBe(200);
  });

  it("answers 503 without a page, and when no page answers in time", async () => {
    expect((await site([]).ask("/v1", INIT))!.status).toBe(503);
    vi.useFakeTimers();
    try {
      const deaf = new FakePage();
      const response = site([deaf], { offerTimeoutMs: 5000 }).ask("/v1", INIT)!;
      await vi.waitFor(() => expect(deaf.offers).toBe(1));
      await vi.advanceTimersByTimeAsync(5000);
      expect(await (await response).json()).toMatchObject({ errors: [{ code: "serviceUnavailable" }] });
    } finally {
      vi.useRealTimers();
    }
  });

  it("answers 503 once a page has stopped answering", async () => {
    const page = new FakePage();
    const stop = answerServiceWorker(createFetchHandler(new FakeTaskRunner()), page);
    expect((await site([page]).ask("/v1", INIT))!.status).toBe(200);
    stop();
    expect((await site([page], { offerTimeoutMs: 1 }).ask("/v1", INIT))!.status).toBe(503);
  });

  it("hands an abort on to the tasks and rejects, as fetch does", async () => {
    const runner = new FakeTaskRunner((_, signal) => untilAborted(signal));
    const controller = new AbortController();
    const started = runner.nextCall();
    const { ask } = site([pageWith(createFetchHandler(runner))]);
    const response = ask("/v1", { ...INIT, signal: controller.signal })!;
    await started;
    controller.abort();
    await expect(response).rejects.toThrow(/aborted/);
    expect(runner.calls[0]!.signal!.aborted).toBe(true);
  });
});
