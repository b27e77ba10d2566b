import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { BrowserContext, Page } from "playwright-core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { launchBrowser } from "../../tools/browsers.ts";
import { serveSite, type SiteServer } from "../../tools/site-server.ts";

const SITE = fileURLToPath(new URL("../../site", import.meta.url));
const FOLDER = "/some/where/";

let server: SiteServer;
let context: BrowserContext;
let page: Page;

beforeEach(async () => {
  server = await serveSite({ base: FOLDER });
  context = await launchBrowser("chromium", { webgpu: false });
  page = await context.newPage();
});
afterEach(async () => {
  await context.close();
  await server.close();
});

describe("the page on a static host, in a folder", () => {
  it("can be installed, keeps what it needs once, and answers whole files and ranges of them without a network", async () => {
    await openKept();
    await expectInstallable();
    const kept = await keptPaths();
    expect(new Set(kept).size).toBe(kept.length);
    for (const file of ["index.html", "studio.js", "manifest.webmanifest"]) expect(kept).toContain(`${FOLDER}${file}`);
    expect(kept.filter((path) => path.endsWith(".wasm"))).toHaveLength(1);
    const weights = kept.filter((path) => path.endsWith(".safetensors"));
    expect(weights).toHaveLength(3);
    // klein-nano-base, of which no more than a part is asked for
    const onRequest = readdirSync(`${SITE}/assets`).find(
      (name) => name.endsWith(".safetensors") && !kept.includes(`${FOLDER}assets/${name}`),
    );
    const late = `${FOLDER}assets/${onRequest}`;
    const bytes = await bytesOf(late, 0, 1);

    await goOffline();
    await page.reload();
    expect(await page.title()).toBe("Kleinbild");
    const sizes = await page.evaluate(
      (paths) => Promise.all(paths.map(async (path) => (await (await fetch(path)).arrayBuffer()).byteLength)),
      kept,
    );
    expect(Math.min(...sizes)).toBeGreaterThanOrEqual(0);
    expect(await bytesOf(late, 0, 1)).toEqual(bytes);
    for (const path of [weights[0]!, late]) {
      const file = readFileSync(`${SITE}/${path.slice(FOLDER.length)}`);
      expect(await bytesOf(path, 8, 15)).toEqual([206, `bytes 8-15/${file.length}`, file.subarray(8, 16).toString()]);
    }
  });

  it("offers a new version in every tab, and takes it only when asked", async () => {
    await openKept();
    const other = await context.newPage();
    await other.goto(server.url);
    publishNextVersion();
    await page.reload();
    await page.getByRole("button", { name: "Later" }).click();
    expect(await page.getByRole("button", { name: "Update" }).count()).toBe(0);
    await page.reload(); // the one that is there goes on
    expect(await page.title()).toBe("Kleinbild");
    await page.getByRole("button", { name: "Update" }).click();
    await page.waitForFunction(() => document.title === "Kleinbild, next");
    expect(await page.getByRole("button", { name: "Update" }).count()).toBe(0);
    expect(await other.title()).toBe("Kleinbild");
    await other.getByRole("button", { name: "Update" }).click();
    await other.waitForFunction(() => document.title === "Kleinbild, next");
  });

  it("says that there is no room, gives back what it took, and goes on", async () => {
    const session = await context.newCDPSession(page);
    const { origin } = new URL(server.url);
    await session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 10 << 20 });
    await page.goto(server.url);
    await expectOffline("state", "failed");
    await expectOffline("reason", "no room");
    await expect.poll(() => page.evaluate(() => caches.keys())).toEqual([]);
    expect(await page.title()).toBe("Kleinbild");
  });
});

/** Opens the page and waits until it is kept. */
async function openKept(): Promise<void> {
  await page.goto(server.url);
  await expectOffline("state", "ready");
}

async function expectOffline(key: "state" | "reason", value: string): Promise<void> {
  const read = (): unknown => page.evaluate((key) => document.querySelector("kleinbild-update")?.offline?.[key], key);
  await expect.poll(read, { timeout: 30_000 }).toBe(value);
}

async function expectInstallable(): Promise<void> {
  const session = await context.newCDPSession(page);
  expect(await session.send("Page.getInstallabilityErrors")).toEqual({ installabilityErrors: [] });
  const { data, errors } = await session.send("Page.getAppManifest");
  expect(errors).toEqual([]);
  const { icons } = JSON.parse(data ?? "") as { icons: { src: string; sizes: string; purpose?: string }[] };
  expect(icons.map(({ sizes, purpose = "any" }) => `${sizes} ${purpose}`)).toEqual([
    "any any",
    "192x192 any",
    "512x512 any",
    "512x512 maskable",
  ]);
}

/** Paths of the files in all caches. */
function keptPaths(): Promise<readonly string[]> {
  return page.evaluate(async () => {
    const paths: string[] = [];
    for (const name of await caches.keys())
      for (const { url } of await (await caches.open(name)).keys()) paths.push(new URL(url).pathname);
    return paths;
  });
}

/** Status, Content-Range and text of a range of a file. */
function bytesOf(path: string, first: number, last: number): Promise<readonly unknown[]> {
  return page.evaluate(
    async ([path, range]) => {
      const response = await fetch(path, { headers: { range } });
      return [response.status, response.headers.get("content-range"), await response.text()];
    },
    [path, `bytes=${first}-${last}`] as const,
  );
}

async function goOffline(): Promise<void> {
  await context.setOffline(true);
  await server.close();
}

/** The page with another title, and its service worker, as a build would have it. */
function publishNextVersion(): void {
  const html = readFileSync(`${SITE}/index.html`, "utf8");
  const script = readFileSync(`${SITE}/service-worker.js`, "utf8");
  const next = script.replace(/(url:`index\.html`,revision:`)\w+/, `$1${"0".repeat(32)}`);
  expect(next).not.toBe(script);
  server.files.set("index.html", html.replace("<title>Kleinbild<", "<title>Kleinbild, next<"));
  server.files.set("service-worker.js", next);
}
