import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, onTestFinished } from "vitest";
import { NANO } from "../support/nano.ts";
import { expectAccessible } from "./axe.ts";
import { expectVisible, PICTURES, StudioPage } from "./studio-page.ts";
import { it } from "./studio-test.ts";

/** A file of a kilobyte that is nothing of what its name says. */
async function damagedFile(name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "kleinbild-access-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, name);
  await writeFile(file, Buffer.alloc(1024, 7));
  return file;
}

describe("axe finds nothing to object to in the studio", () => {
  it("while the model loads, and when it is ready", async ({ browser, site }) => {
    let release!: () => void;
    const released = new Promise<void>((resolve) => (release = resolve));
    await browser.route("**/*.safetensors", async (route) => {
      await released;
      await route.continue();
    });
    const studio = await StudioPage.open(browser, site.url);
    await expectVisible(studio.stage.getByRole("progressbar"));
    await expectAccessible(studio.page);
    release();
    await browser.unrouteAll({ behavior: "wait" });
    await studio.ready();
    await expectAccessible(studio.page);
  });

  it("with all details open and four references", async ({ studio }) => {
    await studio.ready();
    await studio.drop(studio.references, [...PICTURES, ...PICTURES]);
    await expectVisible(studio.references.getByRole("img").nth(3));
    for (const name of ["Example prompts", "What klein-nano can draw", "Advanced", "Adapter, model and memory"])
      await studio.page.getByText(name, { exact: true }).click();
    await expectAccessible(studio.page);
  });

  it("while it works and an order waits, and after it was cancelled", async ({ studio }) => {
    await studio.begin("a dog");
    await studio.prompt.fill("a pig");
    await studio.generate.click();
    await expectVisible(studio.stage.getByText("a pig"));
    await expectAccessible(studio.page);
    await studio.stage.getByRole("button", { name: /Remove “a pig”/ }).click();
    await studio.cancel();
    await expectAccessible(studio.page);
  });

  it("with a finished edit of reused references, its details, and beside its reference", async ({ studio }) => {
    await studio.drop(studio.references, PICTURES);
    await expectVisible(studio.references.getByRole("img").nth(1));
    await studio.make("image 1 and image 2 side by side");
    await studio.make("put image 1 on the background of image 2");
    await expectVisible(studio.stage.getByText(/reused/i));
    await studio.stage.getByText("Details", { exact: true }).click();
    await expectAccessible(studio.page);
    await studio.stage.getByRole("button", { name: "Compare" }).click();
    await expectVisible(studio.stage.getByRole("slider"));
    await expectAccessible(studio.page);
  });

  it("with several results, and notices of deleting and of a file that is no picture", async ({ studio }) => {
    await studio.number("Number of results").fill("2");
    await studio.make("a sun");
    await expectVisible(studio.stage.getByRole("group", { name: "Pictures of this request" }));
    await studio.drop(studio.references, [await damagedFile("none.png")]);
    await expectVisible(studio.page.getByText(/is not a picture/));
    await expectAccessible(studio.page);
    await studio.stage.getByRole("button", { name: "Delete" }).click();
    await expectVisible(studio.button("Undo"));
    await expectAccessible(studio.page);
  });

  it("with a field that was refused, and a run that failed", async ({ studio }) => {
    await studio.number("Steps").fill("2000");
    await studio.generate.click();
    await expectVisible(studio.page.getByText(/steps must be/i));
    await expectAccessible(studio.page);
    await studio.number("Steps").fill("1");
    await studio.page.locator("kleinbild-loras input[type=file]").setInputFiles(await damagedFile("style.safetensors"));
    await studio.generate.click();
    await expectVisible(studio.stage.getByRole("alert"));
    await expectAccessible(studio.page);
  });

  it("while it is live, and when an update is offered", async ({ studio }) => {
    await studio.page.getByRole("switch", { name: /Live/ }).check();
    await studio.prompt.fill("a moon");
    await expectVisible(studio.picture("a moon"));
    await offerUpdate(studio);
    await expectAccessible(studio.page);
  });

  it("in Models: as it comes, with a refused address, with files that were looked at", async ({ studio }) => {
    await studio.ready();
    await studio.tab("Models").click();
    await expectVisible(studio.page.getByText("None yet."));
    for (const details of await studio.page.getByText("What it takes", { exact: true }).all()) await details.click();
    await studio.page.getByText("Memory budget", { exact: true }).click();
    await expectAccessible(studio.page);
    await studio.button("Check").click();
    await expectVisible(studio.page.locator("#address-error:not(:empty)"));
    await expectAccessible(studio.page);
    await checkNano(studio);
    await expectAccessible(studio.page);
  });

  it("in Models: with a stored model, and the question whether to delete it", async ({ studio }) => {
    await studio.ready();
    await studio.tab("Models").click();
    await checkNano(studio);
    await studio.button("Prepare").click();
    await studio.page.getByRole("list", { name: "Stored models" }).getByRole("button", { name: "Delete" }).click();
    await expectVisible(studio.page.getByText(/Delete it for good/));
    await expectAccessible(studio.page);
  });

  it("in Benchmark: as it comes, running, and with results", async ({ studio }) => {
    await studio.ready();
    await studio.tab("Benchmark").click();
    await expectVisible(studio.button("Run benchmark"));
    await expectAccessible(studio.page);
    for (const box of (await studio.page.getByRole("checkbox", { checked: true }).all()).toReversed())
      await box.uncheck();
    await studio.page.getByRole("checkbox", { name: "roofline" }).check();
    await studio.number("Rounds").fill("2");
    await studio.page.getByRole("combobox", { name: "Sizes" }).selectOption("Tiny");
    await studio.button("Run benchmark").click();
    await expectAccessible(studio.page);
    await expectVisible(studio.page.getByRole("table", { name: "Figures of roofline" }));
    await expectVisible(studio.button("Save JSON").and(studio.page.locator(":enabled")));
    await expectAccessible(studio.page);
  });

  it("with klein-nano-base, which takes guidance and a negative prompt", async ({ studio }) => {
    await studio.ready();
    await studio.tab("Models").click();
    const card = studio.page.getByRole("listitem").filter({ has: studio.page.locator("#klein-nano-base") });
    await card.getByRole("button", { name: "Open" }).click();
    await expectVisible(card.getByText("Open", { exact: true }).and(studio.page.locator(".badge")));
    await studio.tab("Studio").click();
    await expectVisible(studio.page.getByRole("textbox", { name: "Negative prompt" }));
    await expectAccessible(studio.page);
  });
});

/** In Models, looks at klein-nano's folder, and asks for it in 8 bits. */
async function checkNano(studio: StudioPage): Promise<void> {
  await studio.page.locator("kleinbild-model-form input[webkitdirectory]").setInputFiles(NANO);
  await studio.page.getByRole("combobox", { name: "Quantization" }).selectOption("q8");
  await studio.button("Check").click();
  await expectVisible(studio.button("Prepare"));
}

/** As if the service worker had found a new version. */
async function offerUpdate(studio: StudioPage): Promise<void> {
  await studio.page.evaluate(() => {
    const update = document.querySelector("kleinbild-update")!;
    update.offline = Object.assign(new EventTarget(), { state: "update-waiting" }) as never;
    update.requestUpdate();
  });
  await expectVisible(studio.button("Update"));
  await expectVisible(studio.button("Later"));
}
