import { fileURLToPath } from "node:url";
import { type BrowserContext, chromium, firefox, type Page } from "playwright-core";
import { createServer, type ViteDevServer } from "vite";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

export type BrowserName = "chromium" | "firefox";

/** Enables WebGPU on a software GPU. */
const CHROMIUM_WEBGPU = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];
const FIREFOX_WEBGPU = {
  "dom.webgpu.enabled": true,
  "dom.webgpu.workers.enabled": true,
  "gfx.webgpu.ignore-blocklist": true,
};

export interface PageServer {
  readonly origin: string;
  /** Called with the address of each request. */
  onRequest: ((url: string) => void) | undefined;
  close(): Promise<void>;
}

/** Starts Vite's dev server over the whole project. */
export async function startServer(): Promise<PageServer> {
  const server: ViteDevServer = await createServer({
    configFile: `${ROOT}vite.config.ts`,
    root: ROOT,
    server: { host: "127.0.0.1", port: 0, hmr: false, watch: null },
    logLevel: "error",
    appType: "mpa",
    optimizeDeps: { entries: ["{bench,test,tools}/**/*.html"] }, // the examples import the package itself
  });
  await server.listen();
  const origin = server.resolvedUrls?.local[0]?.replace(/\/$/, "");
  if (!origin) throw new Error("the server has no address");
  const started: PageServer = { origin, onRequest: undefined, close: () => server.close() };
  server.httpServer?.prependListener("request", ({ url }) => started.onRequest?.(url ?? ""));
  return started;
}

/** Settings that Playwright must not emulate, because Firefox ESR does not support the commands. */
const NOT_EMULATED = { colorScheme: null, reducedMotion: null, forcedColors: null, contrast: null } as const;

export interface BrowserOptions {
  /** Folder of the profile. Default: a new profile, deleted with the browser. */
  readonly profile?: string;
  /** Whether pages have WebGPU. Default: true. */
  readonly webgpu?: boolean;
}

/**
 * Starts the system's browser. Its pages share one profile. Firefox is driven over WebDriver BiDi with playwright-core
 * 1.62, because later versions send commands that Firefox ESR 153 does not support.
 */
export function launchBrowser(
  name: BrowserName,
  { profile = "", webgpu = true }: BrowserOptions = {},
): Promise<BrowserContext> {
  return name === "chromium"
    ? chromium.launchPersistentContext(profile, {
        executablePath: "/usr/bin/chromium",
        args: webgpu ? CHROMIUM_WEBGPU : ["--disable-features=WebGPU"],
      })
    : firefox.launchPersistentContext(profile, {
        ...NOT_EMULATED,
        channel: "moz-firefox",
        executablePath: "/usr/bin/firefox-esr",
        firefoxUserPrefs: webgpu ? FIREFOX_WEBGPU : { "dom.webgpu.enabled": false },
      });
}

/**
 * Opens a page and waits until its module has put functions at `globalThis.kleinbildPage`.
 *
 * @param listen  called with the page before it loads
 */
export async function openPage(browser: BrowserContext, url: string, listen?: (page: Page) => void): Promise<Page> {
  const page = await browser.newPage();
  listen?.(page);
  await page.goto(url);
  await page.waitForFunction("globalThis.kleinbildPage !== undefined");
  return page;
}

type Functions<Api> = { readonly [K in keyof Api]: (...args: never[]) => unknown };

/** Calls a function of a page. Arguments and result are plain data. */
export type PageCall<Api extends Functions<Api>> = <K extends keyof Api & string>(
  page: Page,
  name: K,
  ...args: Parameters<Api[K]>
) => Promise<Awaited<ReturnType<Api[K]>>>;

/** A typed caller for the functions of a page. */
export function pageCall<Api extends Functions<Api>>(): PageCall<Api> {
  return <K extends keyof Api & string>(page: Page, name: K, ...args: Parameters<Api[K]>) => {
    const source = `globalThis.kleinbildPage[${JSON.stringify(name)}](...${JSON.stringify(args)})`;
    return page.evaluate<Awaited<ReturnType<Api[K]>>>(source);
  };
}
