import type { BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { launchBrowser, openPage as open, pageCall, startServer } from "../../tools/browsers.ts";
import type { ServiceWorkerPage } from "./service-worker/page.ts";

const TASK = { taskType: "imageInference", taskUUID: "5f0c1d7e-8a4b-4c39-9d21-0e6f3b7a8c55", width: 128 };

let server: Awaited<ReturnType<typeof startServer>>;
let browser: BrowserContext;
let keeper: Page;
let other: Page;

beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

/** Two pages of one profile, with a service worker. */
beforeEach(async () => {
  browser = await launchBrowser("chromium");
  keeper = await openPage();
  await call(keeper, "register");
  other = await openPage();
  await call(other, "register");
});
afterEach(() => browser.close());

const openPage = (): Promise<Page> => open(browser, `${server.origin}/test/browser/service-worker/index.html`);
const call = pageCall<ServiceWorkerPage>();

describe("a service worker in Chromium", () => {
  it("answers 503 while no page keeps an engine", async () => {
    expect(await call(other, "ask", TASK)).toMatchObject({
      status: 503,
      body: { errors: [{ code: "serviceUnavailable" }] },
    });
  });

  it("answers the hosted API's address by the page that keeps the engine, for it and for another page", async () => {
    await call(keeper, "answer");
    for (const page of [keeper, other])
      expect(await call(page, "ask", TASK)).toMatchObject({
        status: 200,
        body: { data: [{ taskUUID: TASK.taskUUID, seed: 7 }] },
      });
    expect(await call(other, "ask", { ...TASK, width: 64 })).toMatchObject({
      status: 400,
      body: { errors: [{ code: "invalidWidth" }] },
    });
  });

  it("answers 503 again when that page is closed", async () => {
    await call(keeper, "answer");
    expect(await call(other, "ask", TASK)).toMatchObject({ status: 200 });
    await keeper.close();
    expect(await call(other, "ask", TASK)).toMatchObject({ status: 503 });
  });
});
