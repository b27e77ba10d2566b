import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { describe, expect } from "vitest";
import type { SiteServer } from "../../tools/site-server.ts";
import { it as studioTest } from "./studio-test.ts";

const SITE = fileURLToPath(new URL("../../site", import.meta.url));
const FOLDER = "/some/where/";

const it = studioTest
  .extend("siteOptions", { base: FOLDER })
  .extend("browserOptions", { name: "chromium", webgpu: false })
  .extend("page", ({ browser }) => browser.newPage());

describe("the page on a static host, in a folder", () => {
  it("can be installed, keeps what it needs once, and answers whole files and ranges of them without a network", async ({
    browser,
    site,
    page,
  }) => {
    await openKept(page, site);
    await expectInstallable(page);
    const kept = await keptPaths(page);
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
    const bytes = await bytesOf(page, late, 0, 1);

    await browser.setOffline(true);
    await site.close();
    await page.reload();
    expect(await page.title()).toBe("Kleinbild");
    const sizes = await page.evaluate(
      (paths) => Promise.all(paths.map(async (path) => (await (await fetch(path)).arrayBuffer()).byteLength)),
      kept,
    );
    expect(Math.min(...sizes)).toBeGreaterThanOrEqual(0);
    expect(await bytesOf(page, late, 0, 1)).toEqual(bytes);
    for (const path of [weights[0]!, late]) {
      const file = readFileSync(`${SITE}/${path.slice(FOLDER.length)}`);
      expect(await bytesOf(page, path, 8, 15)).toEqual([
        206,
        `bytes 8-15/${file.length}`,
        file.subarray(8, 16).toString(),
      ]);
    }
  });

  it("offers a new version in every tab, and takes it only when asked", async ({ browser, site, page }) => {
    await openKept(page, site);
    const other = await browser.newPage();
    await other.goto(site.url);
    publishNextVersion(site);
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

  it("says that there is no room, gives back what it took, and goes on", async ({ browser, site, page }) => {
    const session = await browser.newCDPSession(page);
    const { origin } = new URL(site.url);
    await session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 10 << 20 });
    await page.goto(site.url);
    await expectOffline(page, "state", "failed");
    await expectOffline(page, "reason", "no room");
    await expect.poll(() => page.evaluate(() => caches.keys())).toEqual([]);
    expect(await page.title()).toBe("Kleinbild");
  });
});

/** Opens the page and waits until it is kept. */
async function openKept(page: Page, site: SiteServer): Promise<void> {
  await page.goto(site.url);
  await expectOffline(page, "state", "ready");
}

async function expectOffline(page: Page, key: "state" | "reason", value: string): Promise<void> {
  const read = (): unknown => page.evaluate((key) => document.querySelector("kleinbild-update")?.offline?.[key], key);
  await expect.poll(read, { timeout: 30_000 }).toBe(value);
}

async function expectInstallable(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page);
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
function keptPaths(page: Page): Promise<readonly string[]> {
  return page.evaluate(async () => {
    const paths: string[] = [];
    for (const name of await caches.keys())
      for (const { url } of await (await caches.open(name)).keys()) paths.push(new URL(url).pathname);
    return paths;
  });
}

/** Status, Content-Range and text of a range of a file. */
function bytesOf(page: Page, path: string, first: number, last: number): Promise<readonly unknown[]> {
  return page.evaluate(
    async ([path, range]) => {
      const response = await fetch(path, { headers: { range } });
      return [response.status, response.headers.get("content-range"), await response.text()];
    },
    [path, `bytes=${first}-${last}`] as const,
  );
}

/** The page with another title, and its service worker, as a build would have it. */
function publishNextVersion(site: SiteServer): void {
  const html = readFileSync(`${SITE}/index.html`, "utf8");
  const script = readFileSync(`${SITE}/service-worker.js`, "utf8");
  const next = script.replace(/(url:`index\.html`,revision:`)\w+/, `$1${"0".repeat(32)}`);
  expect(next).not.toBe(script);
  site.files.set("index.html", html.replace("<title>Kleinbild<", "<title>Kleinbild, next<"));
  site.files.set("service-worker.js", next);
}
