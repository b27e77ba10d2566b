import type { BrowserContext, Locator } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchBrowser } from "../../tools/browsers.ts";
import { serveSite, type SiteServer } from "../../tools/site-server.ts";
import { expectFocus, tabTo } from "./focus.ts";
import { expectVisible, PICTURES, StudioPage } from "./studio-page.ts";

const EDIT = "put image 1 on the background of image 2";

let server: SiteServer;
let browser: BrowserContext;
let studio: StudioPage;
beforeAll(async () => {
  server = await serveSite();
  browser = await launchBrowser("chromium");
  studio = await StudioPage.open(browser, server.url, { prompt: "" });
  await studio.ready();
});
afterAll(async () => {
  await browser.close();
  await server.close();
});

const press = (key: string): Promise<void> => studio.page.keyboard.press(key);
const button = (name: string): Locator => studio.page.getByRole("button", { name, exact: true });
const onStage = (name: string): Locator => studio.stage.getByRole("button", { name, exact: true });
const tab = (name: string): Locator => studio.page.getByRole("tab", { name });

// one page, from step to step, without a mouse; each stop of the focus is seen
describe("the keyboard alone", () => {
  it("makes a picture: the prompt is the second stop, and keeps the focus", async () => {
    await press("Tab");
    await expectFocus(tab("Studio"));
    await press("Tab");
    await expectFocus(studio.prompt);
    await studio.page.keyboard.type("a fox");
    await press("Enter");
    await studio.picture("a fox").waitFor();
    await expectFocus(studio.prompt);
  });

  it("takes the picture as a reference and picks another one", async () => {
    await tabTo(onStage("Use as reference"));
    await press("Enter");
    await studio.page.getByText("The picture is image 1 now.").waitFor();
    await expectFocus(onStage("Use as reference"));
    await tabTo(button("Add pictures…"), "Shift+Tab");
    const [chooser] = await Promise.all([studio.page.waitForEvent("filechooser"), press("Enter")]);
    await chooser.setFiles([PICTURES[1]]);
    await studio.references.getByRole("img").nth(1).waitFor();
    await expectFocus(button("Add pictures…"));
  });

  it("changes the order of the references, and the focus goes with the picture", async () => {
    const [first, second] = await studio.referenceNames();
    await tabTo(button("Move image 1 right"), "Shift+Tab");
    await press("Space");
    await expect
      .poll(() => studio.referenceNames())
      .toEqual([second!.replace("image 2", "image 1"), first!.replace("image 1", "image 2")]);
    await expectFocus(button("Move image 2 left"));
  });

  it("changes the prompt and edits by the button", async () => {
    await tabTo(studio.prompt, "Shift+Tab");
    await press("ControlOrMeta+a");
    await studio.page.keyboard.type(EDIT);
    await tabTo(studio.generate);
    await press("Space");
    await studio.picture(EDIT).waitFor();
    await expectFocus(studio.generate);
  });

  it("compares with the reference by the arrows", async () => {
    await tabTo(onStage("Compare"), "Tab");
    await press("Enter");
    await expectFocus(onStage("Compare"));
    const slider = studio.stage.getByRole("slider", { name: "Before and after" });
    await tabTo(slider, "Shift+Tab");
    const before = Number(await slider.inputValue());
    for (const key of ["ArrowRight", "ArrowRight", "ArrowLeft"]) await press(key);
    expect(Number(await slider.inputValue())).toBe(before + 1);
    expect(await slider.getAttribute("aria-valuetext")).toBe(`${before + 1} % before`);
    await expectFocus(slider);
  });

  it("downloads", async () => {
    const link = studio.stage.getByRole("link", { name: "Download" });
    await tabTo(link);
    const [download] = await Promise.all([studio.page.waitForEvent("download"), press("Enter")]);
    expect(download.suggestedFilename()).toMatch(/^put-image-1-on-the-background-of-image-2-\d+\.png$/);
    await expectFocus(link);
  });

  it("deletes, and takes it back", async () => {
    await tabTo(onStage("Delete"));
    await press("Enter");
    await expect.poll(() => studio.thumbnails().count()).toBe(1);
    await expectFocus(studio.stage.getByRole("region", { name: "Picture" }));
    await tabTo(button("Undo"));
    await press("Enter");
    await expect.poll(() => studio.thumbnails().count()).toBe(2);
    await expectFocus(studio.page.getByText("Adapter, model and memory"));
  });

  it("deletes in the gallery, one after the other", async () => {
    await tabTo(button(`Delete “${EDIT}”`), "Shift+Tab");
    await press("Enter");
    await expectFocus(button("Delete “a fox”"));
    await press("Enter");
    await expectFocus(studio.page.getByRole("heading", { name: "Gallery" }));
  });

  it("cancels by Escape from wherever the focus is", async () => {
    const steps = studio.page.getByRole("spinbutton", { name: "Steps" });
    await tabTo(steps, "Shift+Tab");
    await press("ControlOrMeta+a");
    await studio.page.keyboard.type("500");
    await tabTo(studio.generate);
    await press("Enter");
    await expectVisible(studio.working());
    await press("Escape");
    await expectVisible(studio.stage.getByText("Cancelled"));
    await expectFocus(studio.generate);
  });

  it("goes to a field that was refused", async () => {
    const steps = studio.page.getByRole("spinbutton", { name: "Steps" });
    await tabTo(steps, "Shift+Tab");
    await press("ControlOrMeta+a");
    await studio.page.keyboard.type("2000");
    await tabTo(studio.generate);
    await press("Enter");
    await expectFocus(steps);
  });

  it("goes through the tabs by arrows, Home and End, and through all of Models and Benchmark", async () => {
    await tabTo(tab("Studio"), "Shift+Tab");
    for (const [key, name] of [
      ["ArrowRight", "Models"],
      ["ArrowRight", "Benchmark"],
      ["ArrowRight", "Studio"],
      ["ArrowLeft", "Benchmark"],
      ["Home", "Studio"],
      ["End", "Benchmark"],
    ] as const) {
      await press(key);
      await expectFocus(tab(name));
      expect(await tab(name).getAttribute("aria-selected")).toBe("true");
      await expectVisible(studio.page.getByRole("tabpanel", { name }));
    }
    await tabTo(button("Run benchmark"));
    await tabTo(tab("Benchmark"), "Shift+Tab");
    await press("ArrowLeft");
    await tabTo(button("Ask the browser to keep it"));
  });
});
