import { readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrowserContext } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchBrowser } from "../../tools/browsers.ts";
import { expectVisible, PICTURES, StudioPage, TIMEOUT_MS } from "./studio-page.ts";
import { serveSite, type SiteServer } from "../../tools/site-server.ts";

let server: SiteServer;
let browser: BrowserContext;
let studio: StudioPage;
beforeAll(async () => {
  server = await serveSite();
  browser = await launchBrowser("chromium");
  studio = await StudioPage.open(browser, server.url);
  await studio.ready();
});
afterAll(async () => {
  await browser.close();
  await server.close();
});

const seed = (): Promise<string> => studio.page.getByRole("textbox", { name: "Seed" }).inputValue();
const button = (name: string | RegExp): ReturnType<StudioPage["page"]["getByRole"]> =>
  studio.page.getByRole("button", { name });

describe("the studio", () => {
  it("cancels by Escape, says so, and takes the next order", async () => {
    await studio.page.getByRole("spinbutton", { name: "Steps" }).fill("500");
    await studio.prompt.fill("a cat");
    await studio.prompt.press("Enter");
    await expectVisible(studio.working());
    await studio.page.keyboard.press("Escape");
    await expectVisible(studio.stage.getByText("Cancelled"));
    expect(await studio.thumbnails().count()).toBe(0);
    await studio.page.getByRole("spinbutton", { name: "Steps" }).fill("1");
    await studio.make("a cat");
  });

  it("queues what is asked for meanwhile, and lets a waiting order be taken out", async () => {
    await studio.page.getByRole("spinbutton", { name: "Steps" }).fill("500");
    for (const prompt of ["a dog", "a pig"]) {
      await studio.prompt.fill(prompt);
      await studio.generate.click();
    }
    await expectVisible(studio.stage.getByText("a pig"));
    await studio.stage.getByRole("button", { name: /Remove “a pig”/ }).click();
    await studio.stage.getByText("a pig").waitFor({ state: "detached" });
    await studio.page.keyboard.press("Escape");
    await expectVisible(studio.stage.getByText("Cancelled"));
    await studio.page.getByRole("spinbutton", { name: "Steps" }).fill("1");
  });

  it("rounds a free size to steps of 16, and says at the field what the engine refuses", async () => {
    const width = studio.page.getByRole("spinbutton", { name: "Width" });
    await width.fill("70");
    await width.blur();
    expect(await width.inputValue()).toBe("64");
    const steps = studio.page.getByRole("spinbutton", { name: "Steps" });
    await steps.fill("2000");
    await studio.generate.click();
    await expectVisible(studio.page.getByText(/steps must be .* between 1 and 1000/i));
    expect(await steps.getAttribute("aria-invalid")).toBe("true");
    await steps.fill("1");
  });

  it("draws a new seed for each picture unless it is locked", async () => {
    await studio.make("a car");
    const first = await seed();
    await studio.make("a bus");
    expect(await seed()).not.toBe(first);
    await button("Lock seed").click();
    const locked = await seed();
    await studio.make("a train");
    expect(await seed()).toBe(locked);
    await button("Random seed").click();
    expect(await seed()).not.toBe(locked);
    await button("Lock seed").click();
  });

  it("leaves alone what is typed while a picture comes", async () => {
    const results = studio.page.getByRole("spinbutton", { name: "Number of results" });
    await studio.page.getByRole("spinbutton", { name: "Steps" }).fill("500");
    await studio.generate.click();
    await results.pressSequentially("12");
    await expectVisible(studio.working());
    expect(await results.inputValue()).toBe("12");
    await studio.page.keyboard.press("Escape");
    await expectVisible(studio.stage.getByText("Cancelled"));
    await results.fill("");
    await studio.page.getByRole("spinbutton", { name: "Steps" }).fill("1");
  });

  it("makes several results, one after the other", async () => {
    const before = await studio.thumbnails().count();
    await studio.page.getByRole("spinbutton", { name: "Number of results" }).fill("2");
    await studio.make("a sun");
    await expect.poll(() => studio.thumbnails().count(), { timeout: TIMEOUT_MS }).toBe(before + 2);
    await studio.page.getByRole("spinbutton", { name: "Number of results" }).fill("1");
  });

  it("changes the order of references by dragging and by buttons, and takes earlier pictures", async () => {
    await studio.drop(studio.references, PICTURES);
    await expectVisible(studio.references.getByRole("img").nth(1));
    const [first, second] = [studio.references.getByRole("img").nth(0), studio.references.getByRole("img").nth(1)];
    await first.hover();
    await studio.page.mouse.down();
    const box = (await second.boundingBox())!;
    await studio.page.mouse.move(box.x + box.width / 2, box.y + box.height / 2, { steps: 5 });
    await studio.page.mouse.move(box.x + box.width * 0.8, box.y + box.height / 2, { steps: 5 });
    await studio.page.mouse.up();
    await expect.poll(() => studio.referenceNames()).toEqual(["image 1: reference1.png", "image 2: reference0.png"]);
    await button("Move image 2 left").click();
    expect(await studio.referenceNames()).toEqual(["image 1: reference0.png", "image 2: reference1.png"]);
    await studio.stage.getByRole("button", { name: "Use as reference" }).click();
    await expect.poll(async () => (await studio.referenceNames()).length).toBe(3);
    for (let i = 3; i > 0; i--) await button(`Remove image ${i}`).click();
  });

  it("copies a picture to the clipboard, and takes what is pasted from there as a reference", async () => {
    await browser.grantPermissions(["clipboard-read", "clipboard-write"]);
    await studio.stage.getByRole("button", { name: "Copy" }).click();
    await expectVisible(studio.page.getByText(/copied/i));
    await studio.page.keyboard.press("Control+V");
    await expect.poll(async () => (await studio.referenceNames()).length).toBe(1);
    await button("Remove image 1").click();
  });

  it("refuses a file that is no picture, and a fifth reference, by name", async () => {
    const none = join(tmpdir(), `kleinbild-${process.pid}.png`);
    await writeFile(none, "no picture");
    await studio.drop(studio.references, [none]);
    await expectVisible(studio.page.getByText(/is not a picture that this browser can read/));
    await studio.drop(studio.references, [...PICTURES, ...PICTURES, PICTURES[0]]);
    await studio.page.getByText("There are up to 4 references; reference0.png was left out.").waitFor();
    for (let i = 4; i > 0; i--) await button(`Remove image ${i}`).click();
    await rm(none);
  });

  it("restores the settings of a picture that is dropped on it", async () => {
    await studio.make("a castle");
    const made = await seed();
    const [download] = await Promise.all([
      studio.page.waitForEvent("download"),
      studio.stage.getByRole("link", { name: "Download" }).click(),
    ]);
    const file = join(tmpdir(), download.suggestedFilename());
    await download.saveAs(file);
    await studio.prompt.fill("something else");
    await studio.drop(studio.gallery, [file]);
    await expect.poll(() => studio.prompt.inputValue()).toBe("a castle");
    expect(await seed()).toBe(made);
    expect(await studio.referenceNames()).toEqual([]);
    const before = await readFile(file);
    await studio.make("a castle");
    const [again] = await Promise.all([
      studio.page.waitForEvent("download"),
      studio.stage.getByRole("link", { name: "Download" }).click(),
    ]);
    await again.saveAs(file);
    expect((await readFile(file)).equals(before)).toBe(true); // the same picture, to the byte
    await rm(file);
  });

  it("deletes with undo", async () => {
    const before = await studio.thumbnails().count();
    await studio.stage.getByRole("button", { name: "Delete" }).click();
    await expect.poll(() => studio.thumbnails().count()).toBe(before - 1);
    await button("Undo").click();
    await expect.poll(() => studio.thumbnails().count()).toBe(before);
  });

  it("follows the typing when it is live, and keeps only pictures that the user keeps", async () => {
    const before = await studio.thumbnails().count();
    await studio.page.getByRole("switch", { name: /Live/ }).check();
    await expectVisible(studio.picture("a castle"));
    await studio.prompt.fill("a moon");
    await expectVisible(studio.picture("a moon"));
    expect(await studio.thumbnails().count()).toBe(before);
    await studio.stage.getByRole("button", { name: "Keep" }).click();
    await expect.poll(() => studio.thumbnails().count()).toBe(before + 1);
    await studio.page.getByRole("switch", { name: /Live/ }).uncheck();
  });
});
