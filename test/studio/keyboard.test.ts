import type { Locator } from "playwright-core";
import { describe, expect } from "vitest";
import { expectFocus, tabTo } from "./focus.ts";
import { expectVisible, PICTURES, type StudioPage, TIMEOUT_MS } from "./studio-page.ts";
import { it as studioTest } from "./studio-test.ts";

const FOX = "a fox";
const EDIT = "put image 1 on the background of image 2";

const it = studioTest.extend("fields", { prompt: "" });

const press = ({ page }: StudioPage, key: string): Promise<void> => page.keyboard.press(key);
const onStage = ({ stage }: StudioPage, name: string): Locator => stage.getByRole("button", { name, exact: true });

/** Goes to a field from behind it, and types over what is there. */
async function typeOver(studio: StudioPage, field: Locator, text: string): Promise<void> {
  await tabTo(field, "Shift+Tab");
  await press(studio, "ControlOrMeta+a");
  await studio.page.keyboard.type(text);
}

/** Makes a picture from the prompt, which keeps the focus. */
async function make(studio: StudioPage, prompt: string): Promise<void> {
  await studio.prompt.fill(prompt);
  await press(studio, "Enter");
  await studio.picture(prompt).waitFor();
}

/** A picture, and an edit of it. */
async function makeEdit(studio: StudioPage): Promise<void> {
  await make(studio, FOX);
  await onStage(studio, "Use as reference").click();
  await studio.page.getByText("The picture is image 1 now.").waitFor();
  await make(studio, EDIT);
}

// without a mouse from where a test says so; each stop of the focus is seen
describe("the keyboard alone", () => {
  it("makes a picture: the prompt is the second stop, and keeps the focus", async ({ studio }) => {
    await studio.ready();
    await press(studio, "Tab");
    await expectFocus(studio.tab("Studio"));
    await press(studio, "Tab");
    await expectFocus(studio.prompt);
    await studio.page.keyboard.type(FOX);
    await press(studio, "Enter");
    await studio.picture(FOX).waitFor();
    await expectFocus(studio.prompt);
  });

  it("takes the picture as a reference and picks another one", async ({ studio }) => {
    await make(studio, FOX);
    await tabTo(onStage(studio, "Use as reference"));
    await press(studio, "Enter");
    await studio.page.getByText("The picture is image 1 now.").waitFor();
    await expectFocus(onStage(studio, "Use as reference"));
    await tabTo(studio.button("Add pictures…"), "Shift+Tab");
    const [chooser] = await Promise.all([studio.page.waitForEvent("filechooser"), press(studio, "Enter")]);
    await chooser.setFiles([PICTURES[1]]);
    await studio.references.getByRole("img").nth(1).waitFor();
    await expectFocus(studio.button("Add pictures…"));
  });

  it("changes the order of the references, and the focus goes with the picture", async ({ studio }) => {
    await studio.drop(studio.references, PICTURES);
    await studio.references.getByRole("img").nth(1).waitFor();
    const [first, second] = await studio.referenceNames();
    await tabTo(studio.button("Move image 1 right"));
    await press(studio, "Space");
    await expect
      .poll(() => studio.referenceNames())
      .toEqual([second!.replace("image 2", "image 1"), first!.replace("image 1", "image 2")]);
    await expectFocus(studio.button("Move image 2 left"));
  });

  it("changes the prompt and edits by the button", async ({ studio }) => {
    await studio.drop(studio.references, PICTURES);
    await studio.references.getByRole("img").nth(1).waitFor();
    await studio.make(FOX);
    await typeOver(studio, studio.prompt, EDIT);
    await tabTo(studio.generate);
    await press(studio, "Space");
    await studio.picture(EDIT).waitFor();
    await expectFocus(studio.generate);
  });

  it("compares with the reference by the arrows", async ({ studio }) => {
    await makeEdit(studio);
    await tabTo(onStage(studio, "Compare"));
    await press(studio, "Enter");
    await expectFocus(onStage(studio, "Compare"));
    const slider = studio.stage.getByRole("slider", { name: "Before and after" });
    await tabTo(slider, "Shift+Tab");
    const before = Number(await slider.inputValue());
    for (const key of ["ArrowRight", "ArrowRight", "ArrowLeft"]) await press(studio, key);
    expect(Number(await slider.inputValue())).toBe(before + 1);
    expect(await slider.getAttribute("aria-valuetext")).toBe(`${before + 1} % before`);
    await expectFocus(slider);
  });

  it("downloads", async ({ studio }) => {
    await make(studio, EDIT);
    const link = studio.stage.getByRole("link", { name: "Download" });
    await tabTo(link);
    const [download] = await Promise.all([studio.page.waitForEvent("download"), press(studio, "Enter")]);
    expect(download.suggestedFilename()).toMatch(/^put-image-1-on-the-background-of-image-2-\d+\.png$/);
    await expectFocus(link);
  });

  it("deletes, and takes it back", async ({ studio }) => {
    await makeEdit(studio);
    await tabTo(onStage(studio, "Delete"));
    await press(studio, "Enter");
    await expect.poll(() => studio.thumbnails().count()).toBe(1);
    await expectFocus(studio.stage.getByRole("region", { name: "Picture" }));
    await tabTo(studio.button("Undo"));
    await press(studio, "Enter");
    await expect.poll(() => studio.thumbnails().count()).toBe(2);
    await expectFocus(studio.page.getByText("Adapter, model and memory"));
  });

  it("deletes in the gallery, one after the other", async ({ studio }) => {
    await makeEdit(studio);
    await tabTo(studio.button(`Delete “${EDIT}”`));
    await press(studio, "Enter");
    await expectFocus(studio.button("Delete “a fox”"));
    await press(studio, "Enter");
    await expectFocus(studio.page.getByRole("heading", { name: "Gallery" }));
  });

  it("cancels by Escape from where the focus is", async ({ studio }) => {
    await studio.prompt.fill(FOX);
    await studio.generate.focus();
    await typeOver(studio, studio.number("Steps"), "500");
    await tabTo(studio.generate);
    await press(studio, "Enter");
    await expectVisible(studio.working());
    await studio.cancel();
    await expectFocus(studio.generate);
  });

  it("goes to a field that was refused", async ({ studio }) => {
    await studio.prompt.fill(FOX);
    await studio.generate.focus();
    const steps = studio.number("Steps");
    await typeOver(studio, steps, "2000");
    await tabTo(studio.generate);
    await press(studio, "Enter");
    await expect.poll(() => steps.getAttribute("aria-invalid"), { timeout: TIMEOUT_MS }).toBe("true");
    await expectFocus(steps);
  });

  it("goes through the tabs by arrows, Home and End, and through all of Models and Benchmark", async ({ studio }) => {
    await studio.ready();
    await tabTo(studio.tab("Studio"));
    for (const [key, name] of [
      ["ArrowRight", "Models"],
      ["ArrowRight", "Benchmark"],
      ["ArrowRight", "Studio"],
      ["ArrowLeft", "Benchmark"],
      ["Home", "Studio"],
      ["End", "Benchmark"],
    ] as const) {
      await press(studio, key);
      await expectFocus(studio.tab(name));
      expect(await studio.tab(name).getAttribute("aria-selected")).toBe("true");
      await expectVisible(studio.page.getByRole("tabpanel", { name }));
    }
    await tabTo(studio.button("Run benchmark"));
    await tabTo(studio.tab("Benchmark"), "Shift+Tab");
    await press(studio, "ArrowLeft");
    await tabTo(studio.button("Ask the browser to keep it"));
  });
});
