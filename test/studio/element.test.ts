import type { BrowserContext } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchBrowser } from "../../tools/browsers.ts";
import { serveSite, type SiteServer } from "../../tools/site-server.ts";
import { expectVisible, StudioPage } from "./studio-page.ts";

let server: SiteServer;
let browser: BrowserContext;
let studio: StudioPage;
beforeAll(async () => {
  server = await serveSite();
  browser = await launchBrowser("chromium");
  studio = await StudioPage.open(browser, server.url);
});
afterAll(async () => {
  await browser.close();
  await server.close();
});

/** Asks for a picture that takes long, and waits until it is being made. */
async function begin(prompt: string): Promise<void> {
  await studio.page.getByRole("spinbutton", { name: "Steps" }).fill("500");
  await studio.prompt.fill(prompt);
  await studio.generate.click();
  await expectVisible(studio.working());
  await studio.page.getByRole("spinbutton", { name: "Steps" }).fill("1");
}

describe("<kleinbild-studio>", () => {
  it("loads its model when it is moved while it begins", async () => {
    await studio.prompt.waitFor();
    await studio.page.evaluate(() => document.body.append(document.querySelector("kleinbild-studio")!));
    await expectVisible(studio.page.getByText(/^klein-nano on .*, f32$/));
  });

  it("leaves a number alone that is typed while a picture is made", async () => {
    const results = studio.page.getByRole("spinbutton", { name: "Number of results" });
    await begin("a fox");
    const done = (): Promise<number> =>
      studio.stage.getByRole("progressbar").evaluate((bar) => (bar as HTMLProgressElement).value);
    const before = await done();
    await results.fill("3");
    await expect.poll(done).toBeGreaterThan(before + 1); // drawn again since
    expect(await results.inputValue()).toBe("3");
    await results.fill("1");
    await results.blur();
    await studio.page.keyboard.press("Escape");
    await expectVisible(studio.stage.getByText("Cancelled"));
  });

  it("cancels what runs when precision changes, and goes on with the engine that is opened then", async () => {
    await begin("a cat");
    await studio.page.getByText("Advanced", { exact: true }).click();
    await studio.page.getByRole("combobox", { name: "Precision" }).selectOption("Automatic");
    await expectVisible(studio.stage.getByText("Cancelled"));
    await studio.ready();
    await studio.make("a dog");
  });

  it("leaves the focus in the prompt while a live picture is refused", async () => {
    const steps = studio.page.getByRole("spinbutton", { name: "Steps" });
    await steps.fill("2000");
    await studio.page.getByRole("switch", { name: /Live/ }).check();
    await studio.prompt.click();
    await studio.page.keyboard.type(" on a red background");
    await expectVisible(studio.page.getByText(/steps must be .* between 1 and 1000/i).first());
    await studio.page.keyboard.type(", big");
    expect(await studio.prompt.inputValue()).toBe("a dog on a red background, big");
    await studio.page.getByRole("switch", { name: /Live/ }).uncheck();
    await steps.fill("1");
  });

  it("leaves no worker behind when it is taken off the page, and works when it is put back", async () => {
    await begin("a bus");
    const element = await studio.page.evaluateHandle(() => document.querySelector("kleinbild-studio")!);
    await element.evaluate((it) => it.remove());
    await expect.poll(() => studio.page.workers().length).toBe(0);
    await element.evaluate((it) => document.body.append(it));
    await studio.make("a train");
    expect(await studio.picture("a train").evaluate((image) => (image as HTMLImageElement).naturalWidth)).toBe(64);
  });
});
