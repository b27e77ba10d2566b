import { readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished } from "vitest";
import { expectVisible, PICTURES, type StudioPage, TIMEOUT_MS } from "./studio-page.ts";
import { it } from "./studio-test.ts";

describe("the studio", () => {
  it("cancels by Escape, says so, and takes the next order", async ({ studio }) => {
    await studio.number("Steps").fill("500");
    await studio.prompt.fill("a cat");
    await studio.prompt.press("Enter");
    await expectVisible(studio.working());
    await studio.cancel();
    expect(await studio.thumbnails().count()).toBe(0);
    await studio.number("Steps").fill("1");
    await studio.make("a cat");
  });

  it("queues what is asked for meanwhile, and lets a waiting order be taken out", async ({ studio }) => {
    await studio.begin("a dog");
    await studio.prompt.fill("a pig");
    await studio.generate.click();
    await expectVisible(studio.stage.getByText("a pig"));
    await studio.stage.getByRole("button", { name: /Remove “a pig”/ }).click();
    await studio.stage.getByText("a pig").waitFor({ state: "detached" });
    await studio.cancel();
  });

  it("rounds a free size to steps of 16", async ({ studio }) => {
    const width = studio.number("Width");
    await width.fill("70");
    await width.blur();
    expect(await width.inputValue()).toBe("64");
  });

  it("says at the field what the engine refuses", async ({ studio }) => {
    const steps = studio.number("Steps");
    await steps.fill("2000");
    await studio.generate.click();
    await expectVisible(studio.page.getByText(/steps must be .* between 1 and 1000/i));
    expect(await steps.getAttribute("aria-invalid")).toBe("true");
  });

  it("draws a new seed for each picture unless it is locked", async ({ studio }) => {
    await studio.make("a car");
    const first = await studio.seed();
    await studio.make("a bus");
    expect(await studio.seed()).not.toBe(first);
    await studio.button("Lock seed").click();
    const locked = await studio.seed();
    await studio.make("a train");
    expect(await studio.seed()).toBe(locked);
    await studio.button("Random seed").click();
    expect(await studio.seed()).not.toBe(locked);
  });

  it("leaves alone what is typed while a picture comes", async ({ studio }) => {
    await studio.ready();
    const results = studio.number("Number of results");
    await studio.number("Steps").fill("500");
    await studio.prompt.fill("a cat");
    await studio.generate.click();
    await results.pressSequentially("12");
    await expectVisible(studio.working());
    expect(await results.inputValue()).toBe("12");
    await studio.cancel();
  });

  it("makes several results, one after the other", async ({ studio }) => {
    await studio.number("Number of results").fill("2");
    await studio.make("a sun");
    await expect.poll(() => studio.thumbnails().count(), { timeout: TIMEOUT_MS }).toBe(2);
  });

  it("changes the order of references by dragging and by buttons", async ({ studio }) => {
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
    await studio.button("Move image 2 left").click();
    expect(await studio.referenceNames()).toEqual(["image 1: reference0.png", "image 2: reference1.png"]);
  });

  it("takes an earlier picture as a reference", async ({ studio }) => {
    await studio.make("a car");
    await studio.stage.getByRole("button", { name: "Use as reference" }).click();
    await expect.poll(async () => (await studio.referenceNames()).length).toBe(1);
  });

  it("copies a picture to the clipboard, and takes what is pasted from there as a reference", async ({
    browser,
    studio,
  }) => {
    await browser.grantPermissions(["clipboard-read", "clipboard-write"]);
    await studio.make("a car");
    await studio.stage.getByRole("button", { name: "Copy" }).click();
    await expectVisible(studio.page.getByText(/copied/i));
    await studio.page.keyboard.press("Control+V");
    await expect.poll(async () => (await studio.referenceNames()).length).toBe(1);
  });

  it("refuses a file that is no picture, and a fifth reference, by name", async ({ studio }) => {
    const none = temporary(`kleinbild-${process.pid}.png`);
    await writeFile(none, "no picture");
    await studio.drop(studio.references, [none]);
    await expectVisible(studio.page.getByText(/is not a picture that this browser can read/));
    await studio.drop(studio.references, [...PICTURES, ...PICTURES, PICTURES[0]]);
    await studio.page.getByText("There are up to 4 references; reference0.png was left out.").waitFor();
  });

  it("restores the settings of a picture that is dropped on it", async ({ studio }) => {
    await studio.make("a castle");
    const made = await studio.seed();
    const file = await download(studio);
    const before = await readFile(file);
    await studio.prompt.fill("something else");
    await studio.drop(studio.gallery, [file]);
    await expect.poll(() => studio.prompt.inputValue()).toBe("a castle");
    expect(await studio.seed()).toBe(made);
    expect(await studio.referenceNames()).toEqual([]);
    await studio.make("a castle");
    expect((await readFile(await download(studio))).equals(before)).toBe(true); // the same picture, to the byte
  });

  it("deletes with undo", async ({ studio }) => {
    await studio.make("a castle");
    await studio.stage.getByRole("button", { name: "Delete" }).click();
    await expect.poll(() => studio.thumbnails().count()).toBe(0);
    await studio.button("Undo").click();
    await expect.poll(() => studio.thumbnails().count()).toBe(1);
  });

  it("follows the typing when it is live, and keeps only pictures that the user keeps", async ({ studio }) => {
    await studio.prompt.fill("a castle");
    await studio.page.getByRole("switch", { name: /Live/ }).check();
    await expectVisible(studio.picture("a castle"));
    await studio.prompt.fill("a moon");
    await expectVisible(studio.picture("a moon"));
    expect(await studio.thumbnails().count()).toBe(0);
    await studio.stage.getByRole("button", { name: "Keep" }).click();
    await expect.poll(() => studio.thumbnails().count()).toBe(1);
  });
});

/** Saves the picture on the stage as a person would. */
async function download({ page, stage }: StudioPage): Promise<string> {
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    stage.getByRole("link", { name: "Download" }).click(),
  ]);
  const file = temporary(download.suggestedFilename());
  await download.saveAs(file);
  return file;
}

/** The path of a file that is gone after the test. */
function temporary(name: string): string {
  const file = join(tmpdir(), name);
  onTestFinished(() => rm(file, { force: true }));
  return file;
}
