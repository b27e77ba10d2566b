import type { BrowserContext } from "playwright-core";
import { describe, expect } from "vitest";
import { expectVisible, StudioPage } from "./studio-page.ts";
import { it } from "./studio-test.ts";

describe("the studio, when something is missing or breaks", () => {
  it("goes on after the GPU was lost while it generates", async ({ browser, site }) => {
    const studio = await StudioPage.open(browser, site.url, { steps: 60 });
    await studio.ready();
    await studio.prompt.fill("a fox");
    await studio.generate.click();
    await expectVisible(studio.working());
    await crashGpu(browser);
    await expectVisible(studio.picture("a fox").or(studio.stage.getByRole("alert")));
    await studio.number("Steps").fill("1");
    await studio.make("a boat");
  });

  it("keeps a picture that finds no room for as long as the page is open, and says so", async ({ browser, site }) => {
    // the quota is set before the origin keeps anything: afterwards the browser goes by what it knows
    const page = await browser.newPage();
    const session = await browser.newCDPSession(page);
    await session.send("Storage.overrideQuotaForOrigin", { origin: new URL(site.url).origin, quotaSize: 1 });
    const studio = await StudioPage.open(browser, site.url);
    await studio.make("a fish");
    await expectVisible(studio.page.getByText(/no room left in this browser.s storage/));
    expect(await studio.picture("a fish").isVisible()).toBe(true);
  });

  it("keeps a picture that the browser cannot delete, and says so", async ({ studio }) => {
    await studio.make("a hen");
    await studio.page.evaluate(() => {
      IDBObjectStore.prototype.delete = () => {
        throw new DOMException("The disk is gone.", "UnknownError");
      };
    });
    await studio.stage.getByRole("button", { name: "Delete" }).click();
    await expectVisible(studio.page.getByText(/could not delete the picture/));
    expect(await studio.thumbnails().count()).toBe(1);
    expect(await studio.button("Undo").count()).toBe(0);
  });
});

/** Ends the browser's GPU process, as a driver's crash would. */
async function crashGpu(browser: BrowserContext): Promise<void> {
  const session = await browser.browser()!.newBrowserCDPSession();
  await session.send("Browser.crashGpuProcess");
  await session.detach();
}
