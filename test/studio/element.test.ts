import { describe, expect } from "vitest";
import { expectVisible, TIMEOUT_MS } from "./studio-page.ts";
import { it } from "./studio-test.ts";

describe("<kleinbild-studio>", () => {
  it("loads its model when it is moved while it begins", async ({ studio }) => {
    await studio.prompt.waitFor();
    await studio.page.evaluate(() => document.body.append(document.querySelector("kleinbild-studio")!));
    await studio.ready();
  });

  it("leaves a number alone that is typed while a picture is made", async ({ studio }) => {
    const results = studio.number("Number of results");
    await studio.begin("a fox");
    const done = (): Promise<number> =>
      studio.stage.getByRole("progressbar").evaluate((bar) => (bar as HTMLProgressElement).value);
    const before = await done();
    await results.fill("3");
    await expect.poll(done, { timeout: TIMEOUT_MS }).toBeGreaterThan(before + 1); // drawn again since
    expect(await results.inputValue()).toBe("3");
    await studio.cancel();
  });

  it("cancels what runs when precision changes, and goes on with the engine that is opened then", async ({
    studio,
  }) => {
    await studio.begin("a cat");
    await studio.page.getByText("Advanced", { exact: true }).click();
    await studio.page.getByRole("combobox", { name: "Precision" }).selectOption("Automatic");
    await expectVisible(studio.stage.getByText("Cancelled"));
    await studio.ready();
    await studio.make("a dog");
  });

  it("leaves the focus in the prompt while a live picture is refused", async ({ studio }) => {
    await studio.prompt.fill("a dog");
    await studio.number("Steps").fill("2000");
    await studio.page.getByRole("switch", { name: /Live/ }).check();
    await studio.prompt.click();
    await studio.page.keyboard.press("End");
    await studio.page.keyboard.type(" on a red background");
    await expectVisible(studio.page.getByText(/steps must be .* between 1 and 1000/i).first());
    await studio.page.keyboard.type(", big");
    expect(await studio.prompt.inputValue()).toBe("a dog on a red background, big");
  });

  it("leaves no worker behind when it is taken off the page, and works when it is put back", async ({ studio }) => {
    await studio.begin("a bus");
    const element = await studio.page.evaluateHandle(() => document.querySelector("kleinbild-studio")!);
    await element.evaluate((it) => it.remove());
    await expect.poll(() => studio.page.workers().length).toBe(0);
    await element.evaluate((it) => document.body.append(it));
    await studio.make("a train");
    expect(await studio.picture("a train").evaluate((image) => (image as HTMLImageElement).naturalWidth)).toBe(64);
  });
});
