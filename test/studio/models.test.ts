import { cp, mkdir, mkdtemp, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrowserContext, Locator } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FolderSource } from "../../runtime/node/folder-source.ts";
import { openModel } from "../../runtime/weights/open-model.ts";
import { launchBrowser } from "../../tools/browsers.ts";
import { serveSite, type SiteServer } from "../../tools/site-server.ts";
import { type ModelServer, serveModel } from "../../tools/synthesize/model-server.ts";
import { deferred } from "../support/deferred.ts";
import { loraFile } from "../support/lora-files.ts";
import { NANO } from "../support/nano.ts";
import { expectVisible, StudioPage } from "./studio-page.ts";

const TRANSFORMER = "transformer/diffusion_pytorch_model.safetensors";
/** The header of klein-nano's transformer alone has more. */
const CUT_HEADER_BYTES = 1000;

let folder: string;
let site: SiteServer;
let models: ModelServer;
let browser: BrowserContext;
let studio: StudioPage;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "kleinbild-"));
  site = await serveSite();
  models = await serveModel(NANO);
  browser = await launchBrowser("chromium");
  studio = await StudioPage.open(browser, site.url, { seed: "7", seedLocked: true });
  await studio.ready();
});
afterAll(async () => {
  await browser.close();
  await models.close();
  await site.close();
  await rm(folder, { recursive: true, force: true });
});

const goTo = (tab: "Studio" | "Models"): Promise<void> => studio.page.getByRole("tab", { name: tab }).click();
const openNow = (): Locator => studio.page.locator("kleinbild-open-model");
const form = (): Locator => studio.page.locator("kleinbild-model-form");
const stored = (): Locator => studio.page.locator("kleinbild-stored-models");
const button = (within: Locator, name: string): Locator => within.getByRole("button", { name, exact: true });

/** What the catalogue has of a model. */
function card(name: string): Locator {
  const heading = studio.page.getByRole("heading", { name, exact: true });
  return studio.page.locator("kleinbild-catalog").getByRole("listitem").filter({ has: heading });
}

/** Chooses files, or a folder, as a person does. */
async function choose(what: "Choose files…" | "Choose a folder…", path: string): Promise<void> {
  const [chooser] = await Promise.all([studio.page.waitForEvent("filechooser"), button(form(), what).click()]);
  await chooser.setFiles(path);
}

describe("the Models tab", () => {
  it("says what there is, how large and under which licence, and what this adapter can run", async () => {
    await goTo("Models");
    await expectVisible(openNow().getByText(/^klein-nano is open: distilled, 4 steps/));
    await expectVisible(openNow().getByText("Runs on the processor (SwiftShader): works, but slowly."));
    await expectVisible(openNow().getByText(/klein-nano takes seconds, a full-size model minutes/));
    await expectVisible(card("klein-nano").getByText(/24\.9 MiB of files, Apache-2\.0/));
    await expectVisible(card("klein 4B").getByText("about 14.9 GiB of files"));
    await expectVisible(card("klein 4B").getByRole("link", { name: /^Apache-2\.0/ }));
    await expectVisible(card("klein 9B KV").getByText("about 32.3 GiB of files"));
    await expectVisible(card("klein 9B KV").getByRole("link", { name: /^FLUX Non-Commercial License/ }));
    await card("klein 9B").getByText("What it takes").click();
    await expectVisible(card("klein 9B").getByRole("row", { name: /^GPU memory, about .* GiB/ }));
    await expectVisible(stored().getByText("None yet."));
    await expectVisible(stored().getByText(/^This site uses .* of this device; .*free\.$/));
    // links are there to be followed by the user alone
    for (const link of await card("klein 9B").getByRole("link").all())
      expect(await link.getAttribute("rel")).toBe("noopener noreferrer");
  });

  it("fills in the address of a model that may be loaded from there, and asks nothing of it by itself", async () => {
    await button(card("klein 4B"), "Fill in its address").click();
    const address = form().getByRole("textbox", { name: "Model address" });
    expect(await address.inputValue()).toBe("https://huggingface.co/black-forest-labs/FLUX.2-klein-4B");
    await address.fill("nowhere");
    await button(form(), "Check").click();
    await expectVisible(form().getByText(/“nowhere” is no address/));
    expect(await address.getAttribute("aria-invalid")).toBe("true");
  });

  it("says what is wrong with a file of another kind, and with one that was cut off, and keeps the model that it has", async () => {
    const random = join(folder, "model.safetensors");
    await writeFile(random, Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 7919 + 13) % 251)));
    await choose("Choose files…", random);
    await button(form(), "Check").click();
    const alert = form().getByRole("alert");
    await expectVisible(alert.getByText(/^model\.safetensors is not a valid safetensors file: it does not start/));
    await expectVisible(alert.getByText(/The transformer, text encoder, autoencoder and tokenizer/));

    const cut = join(folder, "cut");
    await cp(NANO, cut, { recursive: true });
    await truncate(join(cut, TRANSFORMER), CUT_HEADER_BYTES);
    await choose("Choose a folder…", cut);
    await button(form(), "Check").click();
    await expectVisible(alert.getByText(new RegExp(`^${TRANSFORMER} is not .*: its header claims .*may be cut off`)));
    await expectVisible(openNow().getByText(/^klein-nano is open/));
  });

  it("opens the model before again when one that was chosen fails, says why, and makes pictures with it", async () => {
    const passing = join(folder, "passing");
    await cp(NANO, passing, { recursive: true });
    await choose("Choose a folder…", passing);
    await button(form(), "Check").click();
    await expectVisible(form().getByText(/^It can run here/));
    await truncate(join(passing, TRANSFORMER), CUT_HEADER_BYTES);
    await button(form(), "Open").click();
    await expectVisible(openNow().getByText(/^passing could not be opened\. .*was changed, moved or deleted/));
    await expectVisible(openNow().getByText(/^klein-nano is open/));
    await goTo("Studio");
    await studio.make("a fox");
  });

  it("takes a LoRA that is dropped on the page, at any weight, until it is removed", async () => {
    const { config } = await openModel(new FolderSource(NANO));
    const file = join(folder, "style.safetensors");
    await writeFile(file, loraFile(config.transformer, "diffusers", { rank: 4, alpha: 4, strength: 0.3 }));
    const without = await pixels("a fox");
    await studio.drop(studio.stage, [file]);
    const loras = studio.page.getByRole("group", { name: "LoRAs" });
    await expectVisible(loras.getByText(/^style\.safetensors/));
    const withIt = await makeAgain("a fox");
    expect(withIt).not.toBe(without);
    const slider = loras.getByRole("slider", { name: "Weight of style.safetensors" });
    await slider.fill("0.5");
    expect(await loras.getByRole("spinbutton", { name: /Weight of style/ }).inputValue()).toBe("0.5");
    const half = await makeAgain("a fox");
    expect(half).not.toBe(withIt);
    expect(half).not.toBe(without);
    await button(loras, "Remove style.safetensors").click();
    expect(await makeAgain("a fox")).toBe(without);
  });

  it("refuses a file that is no LoRA of this model, in a sentence", async () => {
    const { config } = await openModel(new FolderSource(NANO));
    const wide = { ...config.transformer, hidden: 2 * config.transformer.hidden };
    const files = {
      "none.safetensors": await readFile(join(folder, "model.safetensors")),
      "wide.safetensors": loraFile(wide, "diffusers", { rank: 2 }),
    };
    const loras = studio.page.getByRole("group", { name: "LoRAs" });
    for (const [name, bytes] of Object.entries(files)) {
      await mkdir(join(folder, "loras"), { recursive: true });
      const file = join(folder, "loras", name);
      await writeFile(file, bytes);
      await studio.drop(loras, [file]);
      await studio.generate.click();
      await expectVisible(studio.stage.getByRole("alert").getByText(name));
      await button(loras, `Remove ${name}`).click();
    }
    await studio.drop(loras, [join(NANO, "kleinbild.json"), join(folder, "style.safetensors")]);
    await expectVisible(loras.getByRole("alert").getByText(/^No LoRA.*: kleinbild\.json\.$/));
    await button(loras, "Remove style.safetensors").click();
    await studio.make("a fox");
  });

  it("opens klein-nano-base on request, which takes guidance and a negative prompt", async () => {
    await goTo("Models");
    await button(card("klein-nano-base"), "Open").click();
    await expectVisible(openNow().getByText(/^klein-nano-base is open: not distilled/));
    await goTo("Studio");
    const negative = studio.page.getByRole("textbox", { name: "Negative prompt" });
    await negative.fill("blue");
    await studio.page.getByText("Advanced", { exact: true }).click();
    await expectVisible(studio.page.getByRole("spinbutton", { name: "Guidance" }));
    const positive = await makeAgain("a fox");
    await negative.fill("teal");
    expect(await makeAgain("a fox")).not.toBe(positive);
  });
});

describe("a model of another site", () => {
  it("is given up where there is no room, which is said with what it needs, and leaves nothing behind", async () => {
    const session = await browser.newCDPSession(studio.page);
    const { origin } = new URL(site.url);
    // Chromium gives that much, and goes on telling of what there is without it
    const { usage = 0 } = await studio.page.evaluate(() => navigator.storage.estimate());
    await goTo("Models");
    await check();
    await expectVisible(button(form(), "Download"));
    await session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: usage + (12 << 20) });
    await button(form(), "Download").click();
    const alert = form().getByRole("alert");
    await alert.waitFor();
    await session.send("Storage.overrideQuotaForOrigin", { origin });
    await session.detach();
    await expectVisible(alert.getByText(/^The store needs 24\.9 MiB more, and there is no more room\./));
    await expectVisible(alert.getByText(/Delete a stored model, or open this one without keeping it\.$/));
    await expectVisible(stored().getByText("None yet."));
    expect(await studio.page.evaluate(storedFolders)).toEqual([]);
  });

  it("is downloaded with a pause and a reload in between, opened, and found again", async () => {
    const held = deferred();
    models.pause = () => held.promise;
    await check();
    await expectVisible(form().getByText(/^It can run here\. 24\.9 MiB are to be downloaded\.$/));
    await button(form(), "Download").click();
    // the middle of the transformer's three requests, behind the text encoder
    await expectVisible(form().getByText(/^1\d(\.\d)? MiB of 24\.9 MiB/));
    await button(form(), "Pause").click();
    await expectVisible(form().getByText(/paused\. What came stays on this device/));
    held.resolve();
    models.pause = undefined;
    models.sentBytes.clear();

    await studio.page.reload();
    await studio.ready();
    await goTo("Models");
    await expectVisible(stored().getByText("Partly there"));
    await button(stored(), "Resume").click();
    await expectVisible(form().getByText(/is ready to be opened\.$/));
    const { size } = await stat(join(NANO, TRANSFORMER));
    expect(models.sentBytes.get(TRANSFORMER)).toBeLessThan(0.7 * size); // most of what had come did not come again
    await button(form(), "Open").click();
    await expectVisible(stored().getByText("Open", { exact: true }));
    await expectVisible(stored().getByText("To delete it, open another model first."));
    await goTo("Studio");
    await studio.make("a boat");
    await openBundled();
  });

  it("is verified, damaged pieces of it are named, and it is deleted when that was asked twice", async () => {
    await goTo("Models");
    await button(stored(), "Verify").click();
    await expectVisible(stored().getByText("All of it is as it came."));
    await damageStored(TRANSFORMER);
    await button(stored(), "Verify").click();
    await expectVisible(stored().getByText(new RegExp(`^1 damaged piece in ${TRANSFORMER}: taken off the model`)));
    await expectVisible(button(stored(), "Resume"));
    await button(stored(), "Delete").click();
    await button(stored(), "Keep it").click();
    await button(stored(), "Delete").click();
    await expectVisible(stored().getByText(/^Delete it for good/));
    await button(stored(), "Delete").click();
    await expectVisible(stored().getByText("None yet."));
    expect(await studio.page.evaluate(storedFolders)).toEqual([]);
  });
});

/** Looks at klein-nano on its server. */
async function check(): Promise<void> {
  const other = button(form(), "Use an address instead");
  if (await other.isVisible()) await other.click();
  await form().getByRole("textbox", { name: "Model address" }).fill(models.url);
  await button(form(), "Check").click();
}

async function openBundled(): Promise<void> {
  await goTo("Models");
  await button(card("klein-nano"), "Open").click();
  await studio.ready();
}

/** The picture of a prompt, made again. */
async function makeAgain(prompt: string): Promise<string> {
  await studio.make(prompt);
  return pixels(prompt);
}

/** What the picture on the stage shows, as text that is equal for equal pictures. */
function pixels(prompt: string): Promise<string> {
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
async function damageStored(path: string): Promise<void> {
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
