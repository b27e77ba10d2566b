import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BrowserName, launchBrowser, startServer } from "../../tools/browsers.ts";
import { BUILT_CASES } from "../support/golden-cases.ts";
import { call, openPage } from "./test-page.ts";

const FULL = process.env["KLEINBILD_FULL"] === "1";
/** One of each part of the network; all of every kind in the full run. */
const NETWORK = ["pipeline-kv-1ref", "text-kv-0", "transformer-kv-kv", "transformer-plain-references", "vae-kv-48x32"];
const OTHERS = ["image-130x97", "noise-torch", "schedule", "tokenizer-qwen3"];

let server: Awaited<ReturnType<typeof startServer>>;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

describe.each([
  ["chromium", "wgsl", [...NETWORK, ...OTHERS]],
  ["chromium", "ort", NETWORK],
  ["firefox", "wgsl", NETWORK],
] as const satisfies readonly (readonly [BrowserName, string, readonly string[]])[])(
  "goldens in %s, backend %s",
  (name, backend, subset) => {
    let browser: BrowserContext;
    let page: Page;
    beforeAll(async () => {
      browser = await launchBrowser(name);
      page = await openPage(browser, server.origin);
    });
    afterAll(() => browser.close());

    for (const golden of FULL ? BUILT_CASES : subset)
      it(golden, async () => {
        const outcome = await call(page, "golden", golden, backend);
        expect(outcome.passed, outcome.line).toBe(true);
      });
  },
);
