import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BrowserName, launchBrowser, startServer } from "../../tools/browsers.ts";
import { BUILT_CASES, NETWORK_CASES } from "../support/golden-cases.ts";
import { call, openPage } from "./test-page.ts";

const FULL = process.env["KLEINBILD_FULL"] === "1";
/** One of each part of the network, and of what differs from browser to browser. */
const SUBSET = [
  "pipeline-kv-1ref",
  "text-kv-0",
  "transformer-kv-kv",
  "transformer-plain-references",
  "vae-kv-48x32",
  "image-130x97",
  "noise-torch",
  "schedule",
  "tokenizer-qwen3",
];
const profiles: readonly (readonly [BrowserName, "ort" | "wgsl", readonly string[]])[] = FULL
  ? [
      ["chromium", "wgsl", BUILT_CASES],
      ["chromium", "ort", NETWORK_CASES],
      ["firefox", "wgsl", BUILT_CASES],
    ]
  : [["chromium", "wgsl", SUBSET]];

let server: Awaited<ReturnType<typeof startServer>>;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

describe.each(profiles)("goldens in %s, backend %s", (name, backend, cases) => {
  let browser: BrowserContext;
  let page: Page;
  beforeAll(async () => {
    browser = await launchBrowser(name);
    page = await openPage(browser, server.origin);
  });
  afterAll(() => browser.close());

  it.each(cases)("%s", async (golden) => {
    const outcome = await call(page, "golden", golden, backend);
    expect(outcome.passed, outcome.line).toBe(true);
  });
});
