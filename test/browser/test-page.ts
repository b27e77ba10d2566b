import type { BrowserContext, Page } from "playwright-core";
import { openPage as open, pageCall } from "../../tools/browsers.ts";
import type { PageApi } from "./page/main.ts";

/** The test page, its console and errors printed. */
export function openPage(browser: BrowserContext, origin: string): Promise<Page> {
  return open(browser, `${origin}/test/browser/page/index.html`, (page) => {
    page.on("console", (message) => process.stderr.write(`[page] ${message.text()}\n`));
    page.on("pageerror", (error) => process.stderr.write(`[page] ${String(error)}\n`));
  });
}

export const call = pageCall<PageApi>();
