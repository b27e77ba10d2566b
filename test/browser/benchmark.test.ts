import type { BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { BenchPage } from "../../bench/page/page.ts";
import type { BenchmarkEvent } from "../../bench/options.ts";
import { launchBrowser, openPage, type PageServer, pageCall, startServer } from "../../tools/browsers.ts";

const TINY = { repeats: 1, dtype: "f32", shapes: "tiny", seconds: 1 } as const;
const call = pageCall<BenchPage>();

let server: PageServer;
let browser: BrowserContext;
let page: Page;
beforeAll(async () => {
  server = await startServer();
  browser = await launchBrowser("chromium");
});
beforeEach(async () => {
  page = await openPage(browser, `${server.origin}/bench/page/index.html`);
});
afterEach(() => page.close());
afterAll(async () => {
  await browser.close();
  await server.close();
});

describe("the benchmark in a page", () => {
  it("gives rows and a report with the browser's name", async () => {
    const workerEnd = endOfWorker();
    await call(page, "start", { ...TINY, cases: ["roofline"] });
    const events: BenchmarkEvent[] = [];
    for (let event = await call(page, "next"); event; event = await call(page, "next")) events.push(event);
    const rows = events.filter(({ type }) => type === "row");
    expect(rows.length).toBeGreaterThan(3);
    const last = events.at(-1)!;
    expect(last).toMatchObject({
      type: "report",
      report: { adapter: { software: true }, cases: [{ case: "roofline" }] },
    });
    expect(last.type === "report" && last.report.versions.userAgent).toMatch(/Chrome/);
    await workerEnd;
  });

  it("ends its worker when it is aborted, with the reason", async () => {
    const workerEnd = endOfWorker();
    await call(page, "start", { ...TINY, cases: ["operators"] });
    expect(await call(page, "next")).toMatchObject({ type: "case", case: "operators" });
    expect(await call(page, "abort", "enough")).toBe("enough");
    await workerEnd;
  });
});

/** The end of the page's next worker; the test's time limit is met when there is none. */
function endOfWorker(): Promise<void> {
  return new Promise((resolve) => page.once("worker", (worker) => worker.once("close", () => resolve())));
}
