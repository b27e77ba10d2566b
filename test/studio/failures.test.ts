import type { BrowserContext } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchBrowser } from "../../tools/browsers.ts";
import { expectVisible, StudioPage } from "./studio-page.ts";
import { serveSite, type SiteServer } from "../../tools/site-server.ts";

let server: SiteServer;
let browser: BrowserContext;
beforeAll(async () => {
  server = await serveSite();
  browser = await launchBrowser("chromium");
});
afterAll(async () => {
  await browser.close();
  await server.close();
});

describe("the studio, when something is missing or breaks", () => {
  it("goes on after the GPU was lost while it generates", async () => {
    const studio = await StudioPage.open(browser, server.url, { steps: 60 });
    await studio.ready();
    await studio.prompt.fill("a fox");
    await studio.generate.click();
    await expectVisible(studio.working());
    await crashGpu();
    await expectVisible(studio.picture("a fox").or(studio.stage.getByRole("alert")));
    await studio.page.getByRole("spinbutton", { name: "Steps" }).fill("1");
    await studio.make("a boat");
    await studio.page.close();
  });

  it("keeps a picture that finds no room for as long as the page is open, and says so", async () => {
    // an origin of its own, whose quota is set before it keeps anything: afterwards the browser goes by what it knows
    const empty = await serveSite();
    const page = await browser.newPage();
    const session = await browser.newCDPSession(page);
    await session.send("Storage.overrideQuotaForOrigin", { origin: new URL(empty.url).origin, quotaSize: 1 });
    const studio = await StudioPage.open(browser, empty.url);
    await studio.ready();
    await studio.make("a fish");
    await expectVisible(studio.page.getByText(/no room left in this browser.s storage/));
    expect(await studio.picture("a fish").isVisible()).toBe(true);
    await studio.page.close();
    await page.close();
    await empty.close();
  });

  it("keeps a picture that the browser cannot delete, and says so", async () => {
    const studio = await StudioPage.open(browser, server.url);
    await studio.ready();
    await studio.make("a hen");
    const before = await studio.thumbnails().count();
    await studio.page.evaluate(() => {
      IDBObjectStore.prototype.delete = () => {
        throw new DOMException("The disk is gone.", "UnknownError");
      };
    });
    await studio.stage.getByRole("button", { name: "Delete" }).click();
    await expectVisible(studio.page.getByText(/could not delete the picture/));
    expect(await studio.thumbnails().count()).toBe(before);
    expect(await studio.page.getByRole("button", { name: "Undo" }).count()).toBe(0);
    await studio.page.close();
  });
});

/** Ends the browser's GPU process, as a driver's crash would. */
async function crashGpu(): Promise<void> {
  const session = await browser.browser()!.newBrowserCDPSession();
  await session.send("Browser.crashGpuProcess");
  await session.detach();
}
