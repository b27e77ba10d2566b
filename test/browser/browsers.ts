import { fileURLToPath } from "node:url";
import puppeteer, { type Browser, type Page } from "puppeteer-core";
import { createServer, type ViteDevServer } from "vite";
import type { PageApi } from "./page/main.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PAGE = "/test/browser/page/index.html";

export type BrowserName = "chromium" | "firefox";

/** Software GPUs, and nothing that reaches for the network. */
const CHROMIUM_ARGUMENTS = [
  "--no-sandbox",
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];
const FIREFOX_PREFERENCES = {
  "dom.webgpu.enabled": true,
  "dom.webgpu.workers.enabled": true,
  "gfx.webgpu.ignore-blocklist": true,
};

/** Vite's server over the whole project, as `npm start` has it. */
export async function startServer(): Promise<{ readonly origin: string; close(): Promise<void> }> {
  const server: ViteDevServer = await createServer({
    configFile: `${ROOT}vite.config.ts`,
    root: ROOT,
    server: { host: "127.0.0.1", port: 0, hmr: false, watch: null },
    logLevel: "error",
    appType: "mpa",
  });
  await server.listen();
  const origin = server.resolvedUrls?.local[0]?.replace(/\/$/, "");
  if (!origin) throw new Error("the server has no address");
  return { origin, close: () => server.close() };
}

export function launchBrowser(name: BrowserName): Promise<Browser> {
  const common = { headless: true, protocolTimeout: 0 } as const;
  return name === "chromium"
    ? puppeteer.launch({ ...common, executablePath: "/usr/bin/chromium", args: CHROMIUM_ARGUMENTS })
    : puppeteer.launch({
        ...common,
        browser: "firefox",
        executablePath: "/usr/bin/firefox-esr",
        extraPrefsFirefox: FIREFOX_PREFERENCES,
      });
}

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
