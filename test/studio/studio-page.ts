import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import type { BrowserContext, JSHandle, Locator, Page } from "playwright-core";
import { expect } from "vitest";

/** What a software GPU does in a second or two: small pictures on one backend. */
const FIELDS = { backend: "wgsl", dtype: "f32", width: 64, height: 64, steps: 1 };

/** A software GPU compiles for that long, on a busy machine. */
export const TIMEOUT_MS = 300_000;

/** Two pictures of klein-nano's own. */
export const PICTURES = [0, 1].map((i) =>
  fileURLToPath(new URL(`../golden/cases/pipeline-nano-two/reference${i}.png`, import.meta.url)),
) as [string, string];

/** The studio as a person finds it: by roles and names. */
export class StudioPage {
  readonly page: Page;
  readonly prompt: Locator;
  readonly generate: Locator;
  readonly stage: Locator;
  readonly gallery: Locator;
  readonly references: Locator;

  private constructor(page: Page) {
    this.page = page;
    this.prompt = page.getByRole("textbox", { name: "Prompt", exact: true });
    this.generate = page.getByRole("button", { name: "Generate", exact: true });
    this.stage = page.locator("kleinbild-stage");
    this.gallery = page.locator("kleinbild-gallery");
    this.references = page.getByRole("group", { name: "References" });
  }

  /**
   * @param fields  what an earlier visit left in the fields
   * @param viewport  CSS pixels; default: 1280 × 720
   */
  static async open(
    browser: BrowserContext,
    address: string,
    fields: object = {},
    viewport?: { width: number; height: number },
  ): Promise<StudioPage> {
    const page = await browser.newPage();
    if (viewport) await page.setViewportSize(viewport);
    page.setDefaultTimeout(TIMEOUT_MS);
    page.on("pageerror", (error) => process.stderr.write(`[page] ${String(error)}\n`));
    await page.addInitScript(
      (stored) => {
        if (location.protocol !== "http:") return; // an empty page has no storage
        if (localStorage.getItem("kleinbild-studio") === null) localStorage.setItem("kleinbild-studio", stored);
      },
      JSON.stringify({ ...FIELDS, ...fields }),
    );
    await page.goto(address);
    return new StudioPage(page);
  }

  /** Waits until the model is there. */
  async ready(): Promise<void> {
    await this.page.getByText(/^klein-nano on .*, f32$/).waitFor();
  }

  button(name: string | RegExp): Locator {
    return this.page.getByRole("button", { name, exact: true });
  }

  tab(name: string): Locator {
    return this.page.getByRole("tab", { name });
  }

  /** A field for a number. */
  number(name: string): Locator {
    return this.page.getByRole("spinbutton", { name });
  }

  seed(): Promise<string> {
    return this.page.getByRole("textbox", { name: "Seed" }).inputValue();
  }

  /** Asks for a picture of so many steps that it is still being made when the test goes on. */
  async begin(prompt: string): Promise<void> {
    await this.number("Steps").fill("500");
    await this.prompt.fill(prompt);
    await this.generate.click();
    await expectVisible(this.working());
    await this.number("Steps").fill("1");
  }

  /** Cancels by Escape. */
  async cancel(): Promise<void> {
    await this.page.keyboard.press("Escape");
    await expectVisible(this.stage.getByText("Cancelled"));
  }

  /** Asks for a picture and waits for it. */
  async make(prompt: string): Promise<void> {
    const before = await this.thumbnails().count();
    await this.prompt.fill(prompt);
    await this.generate.click();
    await this.thumbnails().nth(before).waitFor();
    await this.picture(prompt).waitFor();
  }

  /** What says that a run is beyond its first step; which step it is may be over before one looks. */
  working(): Locator {
    return this.stage.getByText(/^Step (?!1 )\d+ of /);
  }

  /** The picture on the stage. */
  picture(prompt: string): Locator {
    return this.stage.getByRole("img", { name: prompt, exact: true });
  }

  thumbnails(): Locator {
    return this.gallery.getByRole("img");
  }

  /** The references' pictures, in order. */
  referenceNames(): Promise<readonly string[]> {
    return this.references
      .getByRole("img")
      .evaluateAll((images) => images.map((image) => (image as HTMLImageElement).alt));
  }

  /** Drops files as the browser would. */
  async drop(target: Locator, files: readonly string[]): Promise<void> {
    const dataTransfer = await this.#transfer(files);
    for (const type of ["dragenter", "dragover", "drop"]) await target.dispatchEvent(type, { dataTransfer });
  }

  /** Pastes files as the browser would; Firefox lets no script make a ClipboardEvent that holds any. */
  async paste(files: readonly string[]): Promise<void> {
    const clipboardData = await this.#transfer(files);
    await this.page.evaluate((clipboardData) => {
      const event = new Event("paste", { bubbles: true, cancelable: true });
      document.body.dispatchEvent(Object.defineProperty(event, "clipboardData", { value: clipboardData }));
    }, clipboardData);
  }

  #transfer(files: readonly string[]): Promise<JSHandle<DataTransfer>> {
    const sent = files.map((file) => ({ name: basename(file), base64: readFileSync(file).toString("base64") }));
    return this.page.evaluateHandle((files) => {
      const transfer = new DataTransfer();
      for (const { name, base64 } of files) {
        const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
        transfer.items.add(new File([bytes], name, { type: name.endsWith(".png") ? "image/png" : "" }));
      }
      return transfer;
    }, sent);
  }
}

/** Waits until the first of what the locator finds can be seen. */
export async function expectVisible(locator: Locator): Promise<void> {
  await locator.first().waitFor();
  expect(await locator.first().isVisible()).toBe(true);
}
