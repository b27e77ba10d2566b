import type { BrowserContext } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BrowserName, launchBrowser } from "../../tools/browsers.ts";
import { expectVisible, PICTURES, StudioPage } from "./studio-page.ts";
import { serveSite, type SiteServer } from "../../tools/site-server.ts";

const FOX = "a fox on a teal background";
const EDIT = "put image 1 on the background of image 2";
const browsers: readonly BrowserName[] = ["chromium", "firefox"];

describe.each(browsers)("the studio in %s", (name) => {
  let server: SiteServer;
  let browser: BrowserContext;
  let studio: StudioPage;
  beforeAll(async () => {
    server = await serveSite();
    browser = await launchBrowser(name);
    studio = await StudioPage.open(browser, server.url);
  });
  afterAll(() => browser.close()); // the last test has closed the server

  it("loads its model and makes a picture, whose alternative text is the prompt", async () => {
    await studio.ready();
    await studio.make(FOX);
    expect(await studio.thumbnails().count()).toBe(1);
  });

  it("edits with two references, one dropped and one pasted", async () => {
    await studio.drop(studio.references, [PICTURES[0]]);
    await expectVisible(studio.references.getByRole("img"));
    await studio.paste([PICTURES[1]]);
    await expectVisible(studio.references.getByRole("img").nth(1));
    expect(await studio.referenceNames()).toEqual(["image 1: reference0.png", "image 2: reference1.png"]);
    await studio.make(EDIT);
  });

  it("says that kept keys and values were reused when the same pictures come again", async () => {
    await studio.make("image 1 and image 2 side by side");
    await expectVisible(studio.stage.getByText(/reused/i));
  });

  it("has the gallery after a reload", async () => {
    await studio.page.reload();
    await expectVisible(studio.thumbnails().nth(2));
    expect(
      await studio.thumbnails().evaluateAll((images) => images.map((image) => (image as HTMLImageElement).alt)),
    ).toEqual(["image 1 and image 2 side by side", EDIT, FOX]);
  });

  it("works with the network off", async () => {
    await expectVisible(studio.page.getByText("Works offline"));
    await server.close();
    await studio.page.reload();
    await studio.ready();
    await studio.make("a boat");
  });
});
