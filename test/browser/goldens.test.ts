import type { Browser, Page } from "puppeteer-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BUILT_CASES } from "../support/golden-cases.ts";
import { launchBrowser, startServer } from "../../tools/browsers.ts";
import { call, openPage } from "./test-page.ts";

/** Some of every kind; all of them in the full run. */
const SUBSET = [
  "image-130x97",
  "noise-torch",
  "pipeline-kv-1ref",
  "schedule",
  "text-kv-0",
  "tokenizer-qwen3",
  "transformer-kv-kv",
  "transformer-plain-references",
  "vae-kv-48x32",
];
const cases = process.env["KLEINBILD_FULL"] === "1" ? BUILT_CASES : SUBSET;

describe("goldens in Chromium on SwiftShader", () => {
  let server: Awaited<ReturnType<typeof startServer>>;
  let browser: Browser;
  let page: Page;
  beforeAll(async () => {
    server = await startServer();
    browser = await launchBrowser("chromium");
    page = await openPage(browser, server.origin);
  });
  afterAll(async () => {
    await browser.close();
    await server.close();
  });

  for (const name of cases)
    it(name, async () => {
      const outcome = await call(page, "golden", name);
      expect(outcome.passed, outcome.line).toBe(true);
    });
});
