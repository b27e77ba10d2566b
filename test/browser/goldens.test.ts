import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "puppeteer-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PENDING } from "../../tools/golden/run.ts";
import { call, launchBrowser, openPage, startServer } from "./browsers.ts";

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
const CASES = fileURLToPath(new URL("../golden/cases/", import.meta.url));
const kindOf = (name: string): string =>
  (JSON.parse(readFileSync(`${CASES}${name}/case.json`, "utf8")) as { readonly kind: string }).kind;
const cases =
  process.env["KLEINBILD_FULL"] === "1" ? readdirSync(CASES).filter((name) => !PENDING.has(kindOf(name))) : SUBSET;

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
