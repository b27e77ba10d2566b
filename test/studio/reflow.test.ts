import type { BrowserContext, Locator } from "playwright-core";
import { describe, expect } from "vitest";
import type { SiteServer } from "../../tools/site-server.ts";
import { clippedTexts, layoutShifts, runningAnimations, smallTargets, watchLayoutShifts } from "./measure-page.ts";
import { expectVisible, PICTURES, StudioPage } from "./studio-page.ts";
import { it } from "./studio-test.ts";

/** A tenth is what web.dev calls good. */
const MOST_SHIFT = 0.02;
const BESIDE = "image 1 and image 2 side by side";
const EDIT = "put image 1 on the background of image 2";
const TABS = ["Studio", "Models", "Benchmark"] as const;
/** 640 px high, and 1280 × 1024 at 400 %. */
const NARROW = [
  { width: 320, height: 640, deviceScaleFactor: 1, mobile: false },
  { width: 320, height: 256, deviceScaleFactor: 4, mobile: false },
];

describe("from the first paint to a picture", () => {
  it("nothing moves at 1440 px", async ({ browser, site }) => {
    await expectStill(browser, site, { width: 1440, height: 900 });
  });

  it("nothing moves at 360 px when the page works offline already", async ({ browser, site, studio }) => {
    await expectVisible(studio.page.getByText("Works offline"));
    await studio.page.close();
    await expectStill(browser, site, { width: 360, height: 740 });
  });
});

/** Opens the page, makes a picture, and adds up what moved. */
async function expectStill(
  browser: BrowserContext,
  site: SiteServer,
  viewport: { width: number; height: number },
): Promise<void> {
  await browser.addInitScript(watchLayoutShifts);
  const studio = await StudioPage.open(browser, site.url, {}, viewport);
  await studio.ready();
  await studio.make("a fox");
  const { sum, sources } = await studio.page.evaluate(layoutShifts);
  process.stderr.write(`layout shifts at ${viewport.width} px: ${sum.toFixed(4)}\n`);
  expect(sum, sources.join("\n")).toBeLessThan(MOST_SHIFT);
}

describe("the studio with a picture and references", () => {
  it.for(NARROW)("needs no scrolling sideways at $width × $height", async (screen, { browser, studio }) => {
    await fill(studio);
    const session = await browser.newCDPSession(studio.page);
    await session.send("Emulation.setDeviceMetricsOverride", screen);
    for (const name of TABS) {
      await choose(studio, name);
      expect(await studio.page.evaluate("document.scrollingElement.scrollWidth"), name).toBe(screen.width);
    }
  });

  it.for([320, 1280])("has targets of 24 px, or apart from each other, at %i px", async (width, { studio }) => {
    await fill(studio);
    await studio.page.setViewportSize({ width, height: 800 });
    for (const name of TABS) {
      await choose(studio, name);
      const { count, small } = await studio.page.evaluate(smallTargets);
      expect(small, name).toEqual([]);
      expect(count).toBeGreaterThan(10);
    }
  });

  it("clips no text that is twice as large, and still needs no scrolling sideways", async ({ studio }) => {
    await fill(studio);
    await studio.page.setViewportSize({ width: 1280, height: 800 });
    await studio.page.evaluate(() => document.documentElement.style.setProperty("font-size", "200%"));
    for (const name of TABS) {
      await choose(studio, name);
      expect(await studio.page.evaluate(clippedTexts), name).toEqual([]);
      expect(await studio.page.evaluate("document.scrollingElement.scrollWidth"), name).toBe(1280);
    }
  });

  it("shows in forced colours what is chosen and what has the focus", async ({ studio }) => {
    await fill(studio);
    await studio.page.emulateMedia({ forcedColors: "active" });
    for (const name of TABS) await choose(studio, name);
    await expectTellingApart(studio.page.getByRole("tab", { selected: true }), studio.tab("Studio"));
    await choose(studio, "Studio");
    const thumbnail = (name: string): Locator => studio.gallery.getByRole("button", { name, exact: true });
    await expectTellingApart(thumbnail(EDIT), thumbnail(BESIDE));
    const lock = studio.button("Lock seed");
    await lock.click();
    await expectTellingApart(lock, studio.button("Random seed"));
    await studio.page.keyboard.press("Tab");
    await expect
      .poll(() => studio.button("Random seed").evaluate((button) => getComputedStyle(button).outlineStyle))
      .toBe("solid");
  });

  it("moves nothing while it works, for those who want less motion", async ({ studio }) => {
    await studio.page.emulateMedia({ reducedMotion: "reduce" });
    await studio.begin("a fox");
    expect(await studio.page.evaluate(runningAnimations)).toEqual([]);
  });
});

/** Two references, two pictures of them, and all details open. */
async function fill(studio: StudioPage): Promise<void> {
  await studio.drop(studio.references, PICTURES);
  await expectVisible(studio.references.getByRole("img").nth(1));
  await studio.make(BESIDE);
  await studio.make(EDIT);
  for (const details of await studio.page.locator("summary:visible").all()) await details.click();
}

async function choose(studio: StudioPage, name: (typeof TABS)[number]): Promise<void> {
  await studio.tab(name).click();
  await studio.page.getByRole("tabpanel", { name }).getByRole("heading").first().waitFor();
}

/** That two elements differ in what forced colours leave: system colours of text, ground and border. */
async function expectTellingApart(chosen: Locator, other: Locator): Promise<void> {
  const look = (locator: Locator): Promise<string> =>
    locator.evaluate((element) => {
      const { color, backgroundColor, borderColor } = getComputedStyle(element);
      return [color, backgroundColor, borderColor].join(" ");
    });
  expect(await look(chosen)).not.toBe(await look(other));
}
