import type { Browser, Page } from "puppeteer-core";
import type { PageApi } from "./page/main.ts";

const PAGE = "/test/browser/page/index.html";

/** The test page, its console and errors printed. */
export async function openPage(browser: Browser, origin: string): Promise<Page> {
  const page = await browser.newPage();
  page.on("console", (message) => process.stderr.write(`[page] ${message.text()}\n`));
  page.on("pageerror", (error) => process.stderr.write(`[page] ${String(error)}\n`));
  await page.goto(`${origin}${PAGE}`);
  await page.waitForFunction("globalThis.kleinbildTest !== undefined");
  return page;
}

/** Calls a function of the page. */
export async function call<K extends keyof PageApi>(
  page: Page,
  name: K,
  ...args: Parameters<PageApi[K]>
): Promise<Awaited<ReturnType<PageApi[K]>>> {
  const source = `globalThis.kleinbildTest[${JSON.stringify(name)}](...${JSON.stringify(args)})`;
  return (await page.evaluate(source)) as Awaited<ReturnType<PageApi[K]>>;
}
