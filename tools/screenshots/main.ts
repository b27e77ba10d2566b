import { execFileSync } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import sharp from "sharp";
import { launchBrowser } from "../browsers.ts";
import { serveSite } from "../site-server.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const FOLDER = `${ROOT}docs/screenshots`;
/** In CSS pixels. */
const WIDTHS = [360, 768, 1440];
const SCHEMES = ["light", "dark"] as const;
const FIELDS = { backend: "wgsl", dtype: "f32", seed: "7", seedLocked: true };
const MINUTE_MS = 60_000;
/** Time to decode pictures that come into view. */
const SETTLE_MS = 500;

execFileSync(process.execPath, [`${ROOT}tools/build.mjs`, "site"], { stdio: ["ignore", 2, 2] });
await mkdir(FOLDER, { recursive: true });
const server = await serveSite();
const browser = await launchBrowser("chromium");
try {
  const page = await browser.newPage();
  page.setDefaultTimeout(5 * MINUTE_MS);
  await page.addInitScript((fields) => localStorage.setItem("kleinbild-studio", fields), JSON.stringify(FIELDS));
  await page.goto(server.url);
  await makePictures(page);
  await shoot(page, "studio");
  await page.getByRole("tab", { name: "Models" }).click();
  await page.getByRole("heading", { name: "klein-nano-base" }).waitFor();
  await shoot(page, "models");
  await page.getByRole("tab", { name: "Benchmark" }).click();
  await runBenchmark(page);
  await shoot(page, "benchmark");
} finally {
  await browser.close();
  await server.close();
}

/** Makes a fox and edits it, so that the page shows references, a comparison and a gallery. */
async function makePictures(page: Page): Promise<void> {
  const prompt = page.getByRole("textbox", { name: "Prompt", exact: true });
  const stage = page.locator("kleinbild-stage");
  const make = async (text: string): Promise<void> => {
    await prompt.fill(text);
    await page.getByRole("button", { name: "Generate" }).click();
    await stage.getByRole("img", { name: text, exact: true }).waitFor();
  };
  for (const text of [
    "a cat and a dog on a gray background",
    "a big apple, red background",
    "a fox on a teal background",
  ])
    await make(text);
  await stage.getByRole("button", { name: "Use as reference" }).click();
  await make("make the background green with white stripes");
  await make("turn it into a rocket");
  await make("make the background purple with white dots");
  await stage.getByRole("button", { name: "Compare" }).click();
}

async function runBenchmark(page: Page): Promise<void> {
  for (const name of ["roofline", "pictures"]) await page.getByRole("checkbox", { name, exact: true }).uncheck();
  await page.getByRole("checkbox", { name: "operators", exact: true }).check();
  await page.getByLabel("Sizes").selectOption("tiny");
  await page.getByRole("button", { name: "Run benchmark" }).click();
  await page.getByText(/^Done in /).waitFor();
}

async function shoot(page: Page, name: string): Promise<void> {
  for (const colorScheme of SCHEMES)
    for (const width of WIDTHS) {
      await page.emulateMedia({ colorScheme });
      // as high as the page, so that elements at the window's edge are at the page's edge
      await page.setViewportSize({ width, height: 900 });
      await page.setViewportSize({ width, height: await page.evaluate(() => document.documentElement.scrollHeight) });
      await page.waitForTimeout(SETTLE_MS);
      const file = `${FOLDER}/${name}-${width}-${colorScheme}.png`;
      await sharp(await page.screenshot({ animations: "disabled" }))
        .png({ palette: true, effort: 10 })
        .toFile(file);
      process.stderr.write(`${file}\n`);
    }
}
