import { cp, mkdtemp, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Locator } from "playwright-core";
import { describe, expect, onTestFinished } from "vitest";
import { FolderSource } from "../../runtime/node/folder-source.ts";
import { openModel } from "../../runtime/weights/open-model.ts";
import { type ModelServer, serveModel } from "../../tools/synthesize/model-server.ts";
import { deferred } from "../support/deferred.ts";
import { loraFile } from "../support/lora-files.ts";
import { NANO } from "../support/nano.ts";
import { expectVisible, type StudioPage } from "./studio-page.ts";
import { it as studioTest } from "./studio-test.ts";

const TRANSFORMER = "transformer/diffusion_pytorch_model.safetensors";
/** The header of klein-nano's transformer alone has more. */
const CUT_HEADER_BYTES = 1000;
/** What no format of weights begins with. */
const NO_WEIGHTS = Uint8Array.from({ length: 4096 }, (_, i) => (i * 7919 + 13) % 251);

/** A test with a folder of its own and a server with klein-nano. */
const it = studioTest
  .extend("fields", { seed: "7", seedLocked: true })
  .extend("folder", async () => {
    const folder = await mkdtemp(join(tmpdir(), "kleinbild-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    return folder;
  })
  .extend("models", async () => {
    const models = await serveModel(NANO);
    onTestFinished(() => models.close());
    return models;
  });

const openNow = ({ page }: StudioPage): Locator => page.locator("kleinbild-open-model");
const form = ({ page }: StudioPage): Locator => page.locator("kleinbild-model-form");
const stored = ({ page }: StudioPage): Locator => page.locator("kleinbild-stored-models");
const loras = ({ page }: StudioPage): Locator => page.getByRole("group", { name: "LoRAs" });
const button = (within: Locator, name: string): Locator => within.getByRole("button", { name, exact: true });

/** Opens a tab once the model is there. */
async function goTo(studio: StudioPage, tab: "Studio" | "Models"): Promise<void> {
  await studio.ready();
  await studio.tab(tab).click();
}

/** What the catalogue has of a model. */
function card({ page }: StudioPage, name: string): Locator {
  const heading = page.getByRole("heading", { name, exact: true });
  return page.locator("kleinbild-catalog").getByRole("listitem").filter({ has: heading });
}

/** Chooses files, or a folder, as a person does. */
async function choose(studio: StudioPage, what: "Choose files…" | "Choose a folder…", path: string): Promise<void> {
  const [chooser] = await Promise.all([studio.page.waitForEvent("filechooser"), button(form(studio), what).click()]);
  await chooser.setFiles(path);
}

describe("the Models tab", () => {
  it("says what there is, how large and under which licence, and what this adapter can run", async ({ studio }) => {
    await goTo(studio, "Models");
    await expectVisible(openNow(studio).getByText(/^klein-nano is open: distilled, 4 steps/));
    await expectVisible(openNow(studio).getByText("Runs on the processor (SwiftShader): works, but slowly."));
    await expectVisible(openNow(studio).getByText(/klein-nano takes seconds, a full-size model minutes/));
    await expectVisible(card(studio, "klein-nano").getByText(/24\.9 MiB of files, Apache-2\.0/));
    await expectVisible(card(studio, "klein 4B").getByText("about 14.9 GiB of files"));
    await expectVisible(card(studio, "klein 4B").getByRole("link", { name: /^Apache-2\.0/ }));
    await expectVisible(card(studio, "klein 9B KV").getByText("about 32.3 GiB of files"));
    await expectVisible(card(studio, "klein 9B KV").getByRole("link", { name: /^FLUX Non-Commercial License/ }));
    await card(studio, "klein 9B").getByText("What it takes").click();
    await expectVisible(card(studio, "klein 9B").getByRole("row", { name: /^GPU memory, about .* GiB/ }));
    await expectVisible(stored(studio).getByText("None yet."));
    await expectVisible(stored(studio).getByText(/^This site uses .* of this device; .*free\.$/));
    // links are there to be followed by the user alone
    for (const link of await card(studio, "klein 9B").getByRole("link").all())
      expect(await link.getAttribute("rel")).toBe("noopener noreferrer");
  });

  it("fills in the address of a model that may be loaded from there, and asks nothing of it by itself", async ({
    studio,
  }) => {
    await goTo(studio, "Models");
    await button(card(studio, "klein 4B"), "Fill in its address").click();
    const address = form(studio).getByRole("textbox", { name: "Model address" });
    expect(await address.inputValue()).toBe("https://huggingface.co/black-forest-labs/FLUX.2-klein-4B");
    await address.fill("nowhere");
    await button(form(studio), "Check").click();
    await expectVisible(form(studio).getByText(/“nowhere” is no address/));
    expect(await address.getAttribute("aria-invalid")).toBe("true");
  });

  it("says what is wrong with a file of another kind, and with one that was cut off, and keeps the model that it has", async ({
    folder,
    studio,
  }) => {
    await goTo(studio, "Models");
    const random = join(folder, "model.safetensors");
    await writeFile(random, NO_WEIGHTS);
    await choose(studio, "Choose files…", random);
    await button(form(studio), "Check").click();
    const alert = form(studio).getByRole("alert");
    await expectVisible(alert.getByText(/^model\.safetensors is not a valid safetensors file: it does not start/));
    await expectVisible(alert.getByText(/The transformer, text encoder, autoencoder and tokenizer/));

    const cut = join(folder, "cut");
    await cp(NANO, cut, { recursive: true });
    await truncate(join(cut, TRANSFORMER), CUT_HEADER_BYTES);
    await choose(studio, "Choose a folder…", cut);
    await button(form(studio), "Check").click();
    await expectVisible(alert.getByText(new RegExp(`^${TRANSFORMER} is not .*: its header claims .*may be cut off`)));
    await expectVisible(openNow(studio).getByText(/^klein-nano is open/));
  });

  it("opens the model before again when one that was chosen fails, says why, and makes pictures with it", async ({
    folder,
    studio,
  }) => {
    await goTo(studio, "Models");
    const passing = join(folder, "passing");
    await cp(NANO, passing, { recursive: true });
    await choose(studio, "Choose a folder…", passing);
    await button(form(studio), "Check").click();
    await expectVisible(form(studio).getByText(/^It can run here/));
    await truncate(join(passing, TRANSFORMER), CUT_HEADER_BYTES);
    await button(form(studio), "Open").click();
    await expectVisible(openNow(studio).getByText(/^passing could not be opened\. .*was changed, moved or deleted/));
    await expectVisible(openNow(studio).getByText(/^klein-nano is open/));
    await studio.tab("Studio").click();
    await studio.make("a fox");
  });

  it("takes a LoRA that is dropped on the page, at any weight, until it is removed", async ({ folder, studio }) => {
    const { config } = await openModel(new FolderSource(NANO));
    const file = join(folder, "style.safetensors");
    await writeFile(file, loraFile(config.transformer, "diffusers", { rank: 4, alpha: 4, strength: 0.3 }));
    await studio.make("a fox");
    const without = await pixels(studio, "a fox");
    await studio.drop(studio.stage, [file]);
    await expectVisible(loras(studio).getByText(/^style\.safetensors/));
    const withIt = await makeAgain(studio, "a fox");
    expect(withIt).not.toBe(without);
    const slider = loras(studio).getByRole("slider", { name: "Weight of style.safetensors" });
    await slider.fill("0.5");
    expect(
      await loras(studio)
        .getByRole("spinbutton", { name: /Weight of style/ })
        .inputValue(),
    ).toBe("0.5");
    const half = await makeAgain(studio, "a fox");
    expect(half).not.toBe(withIt);
    expect(half).not.toBe(without);
    await button(loras(studio), "Remove style.safetensors").click();
    expect(await makeAgain(studio, "a fox")).toBe(without);
  });

  it("refuses a file that is no LoRA of this model, in a sentence", async ({ folder, studio }) => {
    const { config } = await openModel(new FolderSource(NANO));
    const wide = { ...config.transformer, hidden: 2 * config.transformer.hidden };
    const files = {
      "none.safetensors": NO_WEIGHTS,
      "wide.safetensors": loraFile(wide, "diffusers", { rank: 2 }),
    };
    await studio.prompt.fill("a fox");
    for (const [name, bytes] of Object.entries(files)) {
      const file = join(folder, name);
      await writeFile(file, bytes);
      await studio.drop(loras(studio), [file]);
      await studio.generate.click();
      await expectVisible(studio.stage.getByRole("alert").getByText(name));
      await button(loras(studio), `Remove ${name}`).click();
    }
    await studio.make("a fox");
  });

  it("takes those that may be LoRAs of files that are dropped together, and names the others", async ({
    folder,
    studio,
  }) => {
    const file = join(folder, "style.safetensors");
    await writeFile(file, NO_WEIGHTS);
    await studio.drop(loras(studio), [join(NANO, "kleinbild.json"), file]);
    await expectVisible(
      loras(studio)
        .getByRole("alert")
        .getByText(/^No LoRA.*: kleinbild\.json\.$/),
    );
    await expectVisible(loras(studio).getByText(/^style\.safetensors/));
  });

  it("opens klein-nano-base on request, which takes guidance and a negative prompt", async ({ studio }) => {
    await goTo(studio, "Models");
    await button(card(studio, "klein-nano-base"), "Open").click();
    await expectVisible(openNow(studio).getByText(/^klein-nano-base is open: not distilled/));
    await studio.tab("Studio").click();
    const negative = studio.page.getByRole("textbox", { name: "Negative prompt" });
    await negative.fill("blue");
    await studio.page.getByText("Advanced", { exact: true }).click();
    await expectVisible(studio.page.getByRole("spinbutton", { name: "Guidance" }));
    const positive = await makeAgain(studio, "a fox");
    await negative.fill("teal");
    expect(await makeAgain(studio, "a fox")).not.toBe(positive);
  });
});

describe("a model of another site", () => {
  it("is given up where there is no room, which is said with what it needs, and leaves nothing behind", async ({
    browser,
    site,
    models,
    studio,
  }) => {
    const session = await browser.newCDPSession(studio.page);
    const { origin } = new URL(site.url);
    await goTo(studio, "Models");
    await expectVisible(studio.page.getByText("Works offline")); // what is kept for that counts as usage
    // Chromium gives that much, and goes on saying what there is without it
    const { usage = 0 } = await studio.page.evaluate(() => navigator.storage.estimate());
    await check(studio, models);
    await expectVisible(button(form(studio), "Download"));
    await session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: usage + (12 << 20) });
    await button(form(studio), "Download").click();
    const alert = form(studio).getByRole("alert");
    await alert.waitFor();
    await expectVisible(alert.getByText(/^The store needs 24\.9 MiB more, and there is no more room\./));
    await expectVisible(alert.getByText(/Delete a stored model, or open this one without keeping it\.$/));
    await expectVisible(stored(studio).getByText("None yet."));
    expect(await studio.page.evaluate(storedFolders)).toEqual([]);
  });

  it("is downloaded with a pause and a reload in between, opened, and found again", async ({ models, studio }) => {
    const held = deferred();
    models.pause = () => held.promise;
    await goTo(studio, "Models");
    await check(studio, models);
    await expectVisible(form(studio).getByText(/^It can run here\. 24\.9 MiB are to be downloaded\.$/));
    await button(form(studio), "Download").click();
    // the middle of the transformer's three requests, behind the text encoder
    await expectVisible(form(studio).getByText(/^1\d(\.\d)? MiB of 24\.9 MiB/));
    await button(form(studio), "Pause").click();
    await expectVisible(form(studio).getByText(/paused\. What came stays on this device/));
    held.resolve();
    models.pause = undefined;
    models.sentBytes.clear();

    await studio.page.reload();
    await goTo(studio, "Models");
    await expectVisible(stored(studio).getByText("Partly there"));
    await button(stored(studio), "Resume").click();
    await expectVisible(form(studio).getByText(/is ready to be opened\.$/));
    const { size } = await stat(join(NANO, TRANSFORMER));
    expect(models.sentBytes.get(TRANSFORMER)).toBeLessThan(0.7 * size); // most of what had come did not come again
    await button(form(studio), "Open").click();
    await expectVisible(stored(studio).getByText("Open", { exact: true }));
    await expectVisible(stored(studio).getByText("To delete it, open another model first."));
    await studio.tab("Studio").click();
    await studio.make("a boat");
  });

  it("is verified, and damaged pieces of it are named", async ({ models, studio }) => {
    await downloadNano(studio, models);
    await button(stored(studio), "Verify").click();
    await expectVisible(stored(studio).getByText("All of it is as it came."));
    await damageStored(studio, TRANSFORMER);
    await button(stored(studio), "Verify").click();
    await expectVisible(
      stored(studio).getByText(new RegExp(`^1 damaged piece in ${TRANSFORMER}: taken off the model`)),
    );
    await expectVisible(button(stored(studio), "Resume"));
  });

  it("is deleted when that was asked twice", async ({ models, studio }) => {
    await downloadNano(studio, models);
    await button(stored(studio), "Delete").click();
    await button(stored(studio), "Keep it").click();
    await button(stored(studio), "Delete").click();
    await expectVisible(stored(studio).getByText(/^Delete it for good/));
    await button(stored(studio), "Delete").click();
    await expectVisible(stored(studio).getByText("None yet."));
    expect(await studio.page.evaluate(storedFolders)).toEqual([]);
  });
});

/** Downloads klein-nano from its server, in Models. */
async function downloadNano(studio: StudioPage, models: ModelServer): Promise<void> {
  await goTo(studio, "Models");
  await check(studio, models);
  await button(form(studio), "Download").click();
  await expectVisible(form(studio).getByText(/is ready to be opened\.$/));
}

/** Looks at klein-nano on its server. */
async function check(studio: StudioPage, models: ModelServer): Promise<void> {
  await form(studio).getByRole("textbox", { name: "Model address" }).fill(models.url);
  await button(form(studio), "Check").click();
}

/** The picture of a prompt, made again. */
async function makeAgain(studio: StudioPage, prompt: string): Promise<string> {
  await studio.make(prompt);
  return pixels(studio, prompt);
}

/** What the picture on the stage shows, as text that is equal for equal pictures. */
function pixels(studio: StudioPage, prompt: string): Promise<string> {
  return studio.picture(prompt).evaluate((image) => {
    const { naturalWidth: width, naturalHeight: height } = image as HTMLImageElement;
    const context = new OffscreenCanvas(width, height).getContext("2d")!;
    context.drawImage(image as HTMLImageElement, 0, 0);
    return context.getImageData(0, 0, width, height).data.join(" ");
  });
}

/** Folders of models in the page's private file system. */
async function storedFolders(): Promise<readonly string[]> {
  const root = await navigator.storage.getDirectory();
  const store = await root.getDirectoryHandle("kleinbild", { create: true });
  const names: string[] = [];
  for await (const name of store.keys()) names.push(name);
  return names;
}

/** Changes a byte in the middle of a file of the one stored model, as a failing disk would. */
async function damageStored(studio: StudioPage, path: string): Promise<void> {
  const [id] = await studio.page.evaluate(storedFolders);
  await studio.page.evaluate(
    async ([id, path]) => {
      let directory = await navigator.storage.getDirectory();
      const names = ["kleinbild", id, "files", ...path.split("/")];
      for (const name of names.slice(0, -1)) directory = await directory.getDirectoryHandle(name);
      const file = await directory.getFileHandle(names.at(-1)!);
      const position = (await file.getFile()).size >> 1;
      const [byte] = new Uint8Array(await (await file.getFile()).slice(position, position + 1).arrayBuffer());
      const stream = await file.createWritable({ keepExistingData: true });
      await stream.write({ type: "write", position, data: new Uint8Array([byte! ^ 1]) });
      await stream.close();
    },
    [id!, path] as const,
  );
}
