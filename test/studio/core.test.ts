import { describe, expect } from "vitest";
import type { BrowserName } from "../../tools/browsers.ts";
import { expectVisible, PICTURES } from "./studio-page.ts";
import { it } from "./studio-test.ts";

const FOX = "a fox on a teal background";
const EDIT = "put image 1 on the background of image 2";
/** The second one in the full run only. */
const browsers: readonly BrowserName[] = process.env["KLEINBILD_FULL"] === "1" ? ["chromium", "firefox"] : ["chromium"];

describe.each(browsers)("the studio in %s", (name) => {
  it.override({ browserOptions: { name } });

  it("loads its model, makes a picture whose alternative text is the prompt, and has it after a reload", async ({
    studio,
  }) => {
    await studio.ready();
    await studio.make(FOX);
    expect(await studio.thumbnails().count()).toBe(1);
    await studio.make("a boat");
    await studio.page.reload();
    await expectVisible(studio.thumbnails().nth(1));
    expect(
      await studio.thumbnails().evaluateAll((images) => images.map((image) => (image as HTMLImageElement).alt)),
    ).toEqual(["a boat", FOX]);
  });

  it("edits with a reference that is dropped and one that is pasted, and says when cached keys and values are reused", async ({
    studio,
  }) => {
    await studio.drop(studio.references, [PICTURES[0]]);
    await expectVisible(studio.references.getByRole("img"));
    await studio.paste([PICTURES[1]]);
    await expectVisible(studio.references.getByRole("img").nth(1));
    expect(await studio.referenceNames()).toEqual(["image 1: reference0.png", "image 2: reference1.png"]);
    await studio.make(EDIT);
    await studio.make("image 1 and image 2 side by side");
    await expectVisible(studio.stage.getByText(/reused/i));
  });

  it("works with the network off", async ({ site, studio }) => {
    await expectVisible(studio.page.getByText("Works offline"));
    await site.close();
    await studio.page.reload();
    await studio.ready();
    await studio.make("a boat");
  });
});
