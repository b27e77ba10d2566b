import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BrowserContext, Locator } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchBrowser } from "../../tools/browsers.ts";
import { serveSite, type SiteServer } from "../../tools/site-server.ts";
import { expectAccessible } from "./axe.ts";
import { expectVisible, PICTURES, StudioPage } from "./studio-page.ts";

const KLEIN_NANO = fileURLToPath(new URL("../../models/klein-nano", import.meta.url));

let server: SiteServer;
let browser: BrowserContext;
let studio: StudioPage;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "kleinbild-access-"));
  server = await serveSite();
  browser = await launchBrowser("chromium");
});
afterAll(async () => {
  await browser.close();
  await server.close();
  await rm(folder, { recursive: true });
});

const button = (name: string | RegExp): Locator => studio.page.getByRole("button", { name, exact: true });
const setSteps = (steps: number): Promise<void> =>
  studio.page.getByRole("spinbutton", { name: "Steps" }).fill(String(steps));

/** A file of a kilobyte that is nothing of what its name says. */
async function damagedFile(name: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, Buffer.alloc(1024, 7));
  return file;
}

// one page, walked through its states
describe("axe finds nothing to object to in the studio", () => {
  it("while the model loads, and when it is ready", async () => {
    let release!: () => void;
    const released = new Promise<void>((resolve) => (release = resolve));
    await browser.route("**/*.safetensors", async (route) => {
      await released;
      await route.continue();
    });
    studio = await StudioPage.open(browser, server.url);
    await expectVisible(studio.stage.getByRole("progressbar"));
    await expectAccessible(studio.page);
    release();
    await browser.unrouteAll({ behavior: "wait" });
    await studio.ready();
    await expectAccessible(studio.page);
  });

  it("with all details open and four references", async () => {
    await studio.drop(studio.references, [...PICTURES, ...PICTURES]);
    await expectVisible(studio.references.getByRole("img").nth(3));
    for (const name of ["Example prompts", "What klein-nano can draw", "Advanced", "Adapter, model and memory"])
      await studio.page.getByText(name, { exact: true }).click();
    await expectAccessible(studio.page);
    for (let i = 4; i > 2; i--) await button(`Remove image ${i}`).click();
  });

  it("while it works and an order waits, and after it was cancelled", async () => {
    await setSteps(500);
    for (const prompt of ["a dog", "a pig"]) {
      await studio.prompt.fill(prompt);
      await studio.generate.click();
    }
    await expectVisible(studio.working());
    await expectAccessible(studio.page);
    await studio.stage.getByRole("button", { name: /Remove “a pig”/ }).click();
    await studio.page.keyboard.press("Escape");
    await expectVisible(studio.stage.getByText("Cancelled"));
    await expectAccessible(studio.page);
    await setSteps(1);
  });

  it("with a finished edit of reused references, its details, and beside its reference", async () => {
    await studio.make("image 1 and image 2 side by side");
    await studio.make("put image 1 on the background of image 2");
    await expectVisible(studio.stage.getByText(/reused/i));
    await studio.stage.getByText("Details", { exact: true }).click();
    await expectAccessible(studio.page);
    await studio.stage.getByRole("button", { name: "Compare" }).click();
    await expectVisible(studio.stage.getByRole("slider"));
    await expectAccessible(studio.page);
  });

  it("with several results, and notices of deleting and of a file that is no picture", async () => {
    await studio.page.getByRole("spinbutton", { name: "Number of results" }).fill("2");
    await studio.make("a sun");
    await expectVisible(studio.stage.getByRole("group", { name: "Pictures of this request" }));
    await studio.page.getByRole("spinbutton", { name: "Number of results" }).fill("1");
    await studio.drop(studio.references, [await damagedFile("none.png")]);
    await expectVisible(studio.page.getByText(/is not a picture/));
    await expectAccessible(studio.page);
    await studio.stage.getByRole("button", { name: "Delete" }).click();
    await expectVisible(button("Undo"));
    await expectAccessible(studio.page);
    for (const dismiss of (await button("Dismiss").all()).toReversed()) await dismiss.click();
  });

  it("with a field that was refused, and a run that failed", async () => {
    await setSteps(2000);
    await studio.generate.click();
    await expectVisible(studio.page.getByText(/steps must be/i));
    await expectAccessible(studio.page);
    await setSteps(1);
    await studio.page.locator("kleinbild-loras input[type=file]").setInputFiles(await damagedFile("style.safetensors"));
    await studio.generate.click();
    await expectVisible(studio.stage.getByRole("alert"));
    await expectAccessible(studio.page);
    await button(/^Remove style/).click();
  });

  it("while it is live, and when an update is offered", async () => {
    await studio.page.getByRole("switch", { name: /Live/ }).check();
    await studio.prompt.fill("a moon");
    await expectVisible(studio.picture("a moon"));
    await offerUpdate();
    await expectAccessible(studio.page);
    await button("Later").click();
    await studio.page.getByRole("switch", { name: /Live/ }).uncheck();
  });

  it("in Models: as it comes, with a refused address, with files that were looked at", async () => {
    await studio.page.getByRole("tab", { name: "Models" }).click();
    await expectVisible(studio.page.getByText("None yet."));
    for (const details of await studio.page.getByText("What it takes", { exact: true }).all()) await details.click();
    await studio.page.getByText("Memory budget", { exact: true }).click();
    await expectAccessible(studio.page);
    await button("Check").click();
    await expectVisible(studio.page.locator("#address-error:not(:empty)"));
    await expectAccessible(studio.page);
    await studio.page.locator("kleinbild-model-form input[webkitdirectory]").setInputFiles(KLEIN_NANO);
    await studio.page.getByRole("combobox", { name: "Quantization" }).selectOption("q8");
    await button("Check").click();
    await expectVisible(button("Prepare"));
    await expectAccessible(studio.page);
  });

  it("in Models: with a stored model, and the question whether to delete it", async () => {
    await button("Prepare").click();
    await studio.page.getByRole("list", { name: "Stored models" }).getByRole("button", { name: "Delete" }).click();
    await expectVisible(studio.page.getByText(/Delete it for good/));
    await expectAccessible(studio.page);
    await studio.page
      .getByRole("group", { name: /Delete it/ })
      .getByRole("button", { name: "Delete" })
      .click();
    await expectVisible(studio.page.getByText("None yet."));
  });

  it("in Benchmark: as it comes, running, and with results", async () => {
    await studio.page.getByRole("tab", { name: "Benchmark" }).click();
    await expectVisible(button("Run benchmark"));
    await expectAccessible(studio.page);
    for (const box of (await studio.page.getByRole("checkbox", { checked: true }).all()).toReversed())
      await box.uncheck();
    await studio.page.getByRole("checkbox", { name: "roofline" }).check();
    await studio.page.getByRole("spinbutton", { name: "Rounds" }).fill("2");
    await studio.page.getByRole("combobox", { name: "Sizes" }).selectOption("Tiny");
    await button("Run benchmark").click();
    await expectAccessible(studio.page);
    await expectVisible(studio.page.getByRole("table", { name: "Figures of roofline" }));
    await expectVisible(button("Save JSON").and(studio.page.locator(":enabled")));
    await expectAccessible(studio.page);
  });

  it("with klein-nano-base, which takes guidance and a negative prompt", async () => {
    await studio.page.getByRole("tab", { name: "Models" }).click();
    const card = studio.page.getByRole("listitem").filter({ has: studio.page.locator("#klein-nano-base") });
    await card.getByRole("button", { name: "Open" }).click();
    await expectVisible(card.getByText("Open", { exact: true }).and(studio.page.locator(".badge")));
    await studio.page.getByRole("tab", { name: "Studio" }).click();
    await expectVisible(studio.page.getByRole("textbox", { name: "Negative prompt" }));
    await expectAccessible(studio.page);
  });
});

/** As if the service worker had found a new version. */
async function offerUpdate(): Promise<void> {
  await studio.page.evaluate(() => {
    const update = document.querySelector("kleinbild-update")!;
    update.offline = Object.assign(new EventTarget(), { state: "update-waiting" }) as never;
    update.requestUpdate();
  });
  await expectVisible(button("Update"));
  expect(await button("Later").isVisible()).toBe(true);
}
