import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createKleinbild } from "../../runtime/node.ts";
import { psnr } from "../support/psnr.ts";
import { type BrowserName, launchBrowser, startServer } from "../../tools/browsers.ts";
import { call, openPage } from "./test-page.ts";
import type { GenerateOutcome } from "./page/main.ts";

const TINY = { prompt: "a fox on a teal background", seed: 7, width: 64, height: 64, steps: 1 };
/** The model's own size and steps. */
const REQUEST = { ...TINY, width: 128, height: 128, steps: 4 };
/** Software adapters differ in the last bits; f32 everywhere. */
const MIN_PSNR = 40;
const browsers: readonly BrowserName[] = ["chromium", "firefox"];

let server: Awaited<ReturnType<typeof startServer>>;
let nodePixels: Uint8ClampedArray;

beforeAll(async () => {
  server = await startServer();
  await using engine = await createKleinbild({ dtype: "f32", backend: "wgsl", warmUp: false });
  nodePixels = (await engine.generate(REQUEST).result).image.pixels.data;
});
afterAll(() => server.close());

describe.each(browsers)("the worker in %s", (name) => {
  let browser: BrowserContext;
  let page: Page;
  beforeAll(async () => {
    browser = await launchBrowser(name);
    page = await openPage(browser, server.origin);
    await call(page, "open", { dtype: "f32", backend: "ort", warmUp: false });
  });
  afterAll(() => browser.close());

  it("gives it on the project's own kernels, too, and asks for no file of onnxruntime then", async () => {
    const own = await openPage(browser, server.origin);
    const asked: string[] = [];
    server.onRequest = (url) => void asked.push(url);
    await call(own, "open", { dtype: "f32", backend: "wgsl", warmUp: false });
    const outcome = succeeded(await call(own, "generate", REQUEST));
    server.onRequest = undefined;
    expect(psnr(outcome.pixels, nodePixels)).toBeGreaterThanOrEqual(MIN_PSNR);
    expect(asked.some((url) => url.includes("/wgsl-backend."))).toBe(true);
    expect(asked.filter((url) => /onnxruntime|\/ort\//.test(url))).toEqual([]);
    await own.close();
  });

  it("autotunes once, and then loads onnxruntime only if it was fastest", async () => {
    const own = await openPage(browser, server.origin);
    await call(own, "open", { dtype: "f32" });
    const first = Object.values((await call(own, "info")).dense);
    await call(own, "dispose");
    expect(first.map(({ remembered }) => remembered)).toEqual([false, false]);
    const asked: string[] = [];
    server.onRequest = (url) => void asked.push(url);
    await call(own, "open", { dtype: "f32" });
    const second = Object.values((await call(own, "info")).dense);
    server.onRequest = undefined;
    expect(second.map(({ remembered }) => remembered)).toEqual([true, true]);
    expect(second.map(({ implementation }) => implementation)).toEqual(
      first.map(({ implementation }) => implementation),
    );
    const won = second.some(({ implementation }) => implementation === "ort");
    expect(asked.some((url) => /onnxruntime/.test(url))).toBe(won);
    await own.close();
  });

  it("gives the picture that Node gives, with events and previews on the way", async () => {
    const outcome = succeeded(await call(page, "generate", REQUEST));
    const steps = Array.from({ length: REQUEST.steps }, (_, i) => `step ${i + 1} ${REQUEST.width / 8}`);
    expect(outcome.events).toEqual(["encode", ...steps, "decode", "result"]);
    const value = psnr(outcome.pixels, nodePixels);
    process.stderr.write(`${name} against Node: ${value.toFixed(1)} dB\n`);
    expect(value).toBeGreaterThanOrEqual(MIN_PSNR);
  });

  it("aborts between steps with the signal's own reason, and takes the next request", async () => {
    expect(await call(page, "generate", REQUEST, { abortAtStep: 1 })).toMatchObject({ error: { isReason: true } });
    const next = succeeded(await call(page, "generate", TINY));
    expect(next.events).toEqual(["encode", "step 1 8", "decode", "result"]);
  });

  it("keeps reference keys and values from request to request", async () => {
    const file = fileURLToPath(new URL("../golden/cases/pipeline-nano-edit/reference0.png", import.meta.url));
    const reference = { width: 64, height: 64, data: await smallPicture(file) };
    const first = succeeded(await call(page, "generate", TINY, { references: [reference] }));
    const second = succeeded(await call(page, "generate", TINY, { references: [reference] }));
    expect([first.cacheHit, second.cacheHit]).toEqual([false, true]);
    expect(second.pixels).toEqual(first.pixels);
  });

  it("passes errors on with class and code", async () => {
    expect(await call(page, "generate", { ...REQUEST, width: 100 })).toMatchObject({
      error: { isKleinbildError: true, code: "invalid-request" },
    });
  });

  it.each(["image/png", "image/jpeg", "image/webp"] as const)("writes and reads %s", async (type) => {
    const { type: written, maxError } = await call(page, "recode", type);
    expect([type, "image/png"]).toContain(written); // PNG where the browser cannot write the type
    expect(maxError).toBeLessThanOrEqual(written === "image/png" ? 0 : 24);
  });
});

function succeeded(outcome: GenerateOutcome): Exclude<GenerateOutcome, { error: unknown }> {
  if ("error" in outcome) throw new Error(JSON.stringify(outcome.error));
  return outcome;
}

/** 64 x 64 RGBA bytes as plain numbers, which is what crosses to the page. */
async function smallPicture(file: string): Promise<number[]> {
  const { default: sharp } = await import("sharp");
  return [
    ...(await sharp(await readFile(file))
      .resize(64, 64)
      .ensureAlpha()
      .raw()
      .toBuffer()),
  ];
}
