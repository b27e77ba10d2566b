import { describe, expect } from "vitest";
import type { BrowserName } from "../../tools/browsers.ts";
import { expectAccessible } from "./axe.ts";
import { expectVisible } from "./studio-page.ts";
import { it } from "./studio-test.ts";

/** The second one in the full run only. */
const browsers: readonly BrowserName[] = process.env["KLEINBILD_FULL"] === "1" ? ["chromium", "firefox"] : ["chromium"];

describe.each(browsers)("the studio in %s without WebGPU", (name) => {
  it.override({ browserOptions: { name, webgpu: false } });

  it("explains what to do, and asks for no weights", async ({ browser, site }) => {
    const page = await browser.newPage();
    const asked: string[] = []; // by the page: what its service worker keeps for later is another matter
    page.on("request", (request) => asked.push(request.url()));
    await page.goto(site.url);
    await expectVisible(page.getByRole("heading", { name: "Pictures cannot be made in this browser yet" }));
    await expectVisible(page.getByRole("alert").filter({ hasText: /WebGPU/ }));
    expect(await page.getByRole("button", { name: "Generate" }).count()).toBe(0);
    expect(asked.some((url) => url.endsWith("/studio.js"))).toBe(true);
    expect(asked.filter((url) => url.endsWith(".safetensors"))).toEqual([]);
    await expectAccessible(page, name === "chromium" ? ["light", "dark"] : ["light"]);
  });
});
