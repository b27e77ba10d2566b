import type { BrowserContext, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchBrowser } from "../../tools/browsers.ts";
import { serveSite, type SiteServer } from "../../tools/site-server.ts";
import { clippedTexts, layoutShifts, runningAnimations, smallTargets, watchLayoutShifts } from "./measure-page.ts";
import { expectVisible, PICTURES, StudioPage } from "./studio-page.ts";

/** A tenth is what web.dev calls good. */
const MOST_SHIFT = 0.02;
const TABS = ["Studio", "Models", "Benchmark"] as const;
/** 640 px high, and 1280 × 1024 at 400 %. */
const NARROW = [
  { width: 320, height: 640, deviceScaleFactor: 1, mobile: false },
  { width: 320, height: 256, deviceScaleFactor: 4, mobile: false },
];

let server: SiteServer;
let browser: BrowserContext;
beforeAll(async () => {
  server = await serveSite();
  browser = await launchBrowser("chromium");
  await browser.addInitScript(watchLayoutShifts);
});
afterAll(async () => {
  await browser.close();
  await server.close();
});

describe("from the first paint to a picture", () => {
  it.each([
    { width: 1440, height: 900 },
    { width: 360, height: 740 },
  ])("nothing moves at $width px", async (viewport) => {
    const studio = await StudioPage.open(browser, server.url, {}, viewport);
    await studio.ready();
    await studio.make("a fox");
    const { sum, sources } = await studio.page.evaluate(layoutShifts);
    process.stderr.write(`layout shifts at ${viewport.width} px: ${sum.toFixed(4)}\n`);
    expect(sum, sources.join("\n")).toBeLessThan(MOST_SHIFT);
    await studio.page.close();
  });
});

describe("the studio with a picture and references", () => {
  let studio: StudioPage;
  let page: Page;
  beforeAll(async () => {
    studio = await StudioPage.open(browser, server.url);
    ({ page } = studio);
    await studio.ready();
    await studio.drop(studio.references, PICTURES);
    await expectVisible(studio.references.getByRole("img").nth(1));
    await studio.make("image 1 and image 2 side by side");
    await studio.make("put image 1 on the background of image 2");
    for (const details of await page.locator("summary:visible").all()) await details.click();
  });

  it.each(NARROW)("needs no scrolling sideways at $width × $height", async (screen) => {
    const session = await browser.newCDPSession(page);
    await session.send("Emulation.setDeviceMetricsOverride", screen);
    for (const name of TABS) {
      await choose(name);
      expect(await page.evaluate("document.scrollingElement.scrollWidth"), name).toBe(screen.width);
    }
    await session.send("Emulation.clearDeviceMetricsOverride");
    await session.detach();
  });

  it.each([320, 1280])("has targets of 24 px, or apart from each other, at %i px", async (width) => {
    await page.setViewportSize({ width, height: 800 });
    for (const name of TABS) {
      await choose(name);
      const { count, small } = await page.evaluate(smallTargets);
      expect(small, name).toEqual([]);
      expect(count).toBeGreaterThan(10);
    }
  });

  it("clips no text that is twice as large, and still needs no scrolling sideways", async () => {
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.evaluate(() => document.documentElement.style.setProperty("font-size", "200%"));
    for (const name of TABS) {
      await choose(name);
      expect(await page.evaluate(clippedTexts), name).toEqual([]);
      expect(await page.evaluate("document.scrollingElement.scrollWidth"), name).toBe(1280);
    }
    await page.evaluate(() => document.documentElement.style.removeProperty("font-size"));
  });

  it("shows in forced colours what is chosen and what has the focus", async () => {
    await page.emulateMedia({ forcedColors: "active" });
    for (const name of TABS) await choose(name);
    await expectTellingApart(page.getByRole("tab", { selected: true }), page.getByRole("tab", { name: "Studio" }));
    await choose("Studio");
    const thumbnail = (name: string): Locator => studio.gallery.getByRole("button", { name, exact: true });
    await expectTellingApart(
      thumbnail("put image 1 on the background of image 2"),
      thumbnail("image 1 and image 2 side by side"),
    );
    const lock = page.getByRole("button", { name: "Lock seed" });
    await lock.click();
    await expectTellingApart(lock, page.getByRole("button", { name: "Random seed" }));
    await page.keyboard.press("Tab");
    await expect
      .poll(() => page.getByRole("button", { name: "Random seed" }).evaluate((b) => getComputedStyle(b).outlineStyle))
      .toBe("solid");
    await lock.click();
    await page.emulateMedia({ forcedColors: "none" });
  });

  it("moves nothing while it works, for who wants less motion", async () => {
    await page.emulateMedia({ reducedMotion: "reduce" });
    await choose("Studio");
    await page.getByRole("spinbutton", { name: "Steps" }).fill("500");
    await studio.generate.click();
    await expectVisible(studio.working());
    expect(await page.evaluate(runningAnimations)).toEqual([]);
    await page.keyboard.press("Escape");
    await expectVisible(studio.stage.getByText("Cancelled"));
  });

  async function choose(name: (typeof TABS)[number]): Promise<void> {
    await page.getByRole("tab", { name }).click();
    await page.getByRole("tabpanel", { name }).getByRole("heading").first().waitFor();
  }
});

/** That two elements differ in what forced colours leave: system colours of text, ground and border. */
async function expectTellingApart(chosen: Locator, other: Locator): Promise<void> {
  const look = (locator: Locator): Promise<string> =>
    locator.evaluate((element) => {
      const { color, backgroundColor, borderColor } = getComputedStyle(element);
      return [color, backgroundColor, borderColor].join(" ");
    });
  expect(await look(chosen)).not.toBe(await look(other));
}
