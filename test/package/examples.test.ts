import { execFile } from "node:child_process";
import { rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { build } from "vite";
import webpack, { type Configuration, type Stats } from "webpack";
import { launchBrowser } from "../../tools/browsers.ts";
import { serveFolder } from "../../tools/site-server.ts";
import { createConsumer, ROOT } from "./consumer.ts";

const run = promisify(execFile);

let browser: BrowserContext;
beforeAll(async () => {
  browser = await launchBrowser("chromium");
});
afterAll(() => browser.close());

describe("the example", () => {
  it("with Vite has no type errors, is built, and makes a picture", () =>
    withExample("vite", buildWithVite, (page) => expectPicture(page)));

  it("from a script tag makes a picture", () => withExample("script-tag", install, (page) => expectPicture(page)));

  it("with webpack is built, and loads and cancels", () =>
    withExample("webpack", buildWithWebpack, (page) => expectLoadAndCancel(page)));

  it("with Next is built, and loads and cancels", () =>
    withExample("next", buildWithNext, (page) => expectLoadAndCancel(page)));
});

/**
 * Copies an example, builds it, and opens the result in a page. Nothing may fail there.
 *
 * @param buildIn  gives the folder to serve
 */
async function withExample(
  name: string,
  buildIn: (project: string) => Promise<string>,
  use: (page: Page) => Promise<void>,
): Promise<void> {
  const project = createConsumer(inject("packed").folder, name);
  const server = await serveFolder(await buildIn(project));
  const page = await browser.newPage();
  const failures: string[] = [];
  page.on("pageerror", (error) => failures.push(String(error)));
  page.on("response", (response) => {
    if (!response.ok()) failures.push(`${response.url()}: ${response.status()}`);
  });
  try {
    await page.goto(server.url);
    await page.getByText("Ready").waitFor();
    await use(page);
    expect(failures).toEqual([]);
  } finally {
    await page.close();
    await server.close();
    rmSync(project, { recursive: true, force: true });
  }
}

async function buildWithVite(project: string): Promise<string> {
  await run(process.execPath, [join(ROOT, "node_modules/typescript7/bin/tsc"), "-p", project]);
  await build({ root: project, logLevel: "error" });
  return join(project, "dist");
}

/** Packages that npm would install beside this one, and the page loads. */
async function install(project: string): Promise<string> {
  const name = "node_modules/onnxruntime-web";
  symlinkSync(join(ROOT, name), join(project, name));
  return project;
}

async function buildWithWebpack(project: string): Promise<string> {
  const config = (await import(pathToFileURL(join(project, "webpack.config.js")).href)) as {
    readonly default: Configuration;
  };
  const optimization = { minimize: false }; // most of the time, for what is not at issue here
  const stats = await new Promise<Stats>((resolve, reject) => {
    webpack({ ...config.default, mode: "production", context: project, optimization }, (error, stats) =>
      stats ? resolve(stats) : reject(error),
    );
  });
  const { errors, warnings } = stats.toJson({ all: false, errors: true, warnings: true });
  expect([...(errors ?? []), ...(warnings ?? [])]).toEqual([]);
  return join(project, "public");
}

async function buildWithNext(project: string): Promise<string> {
  const env = { ...process.env, NODE_ENV: "production" as const, NEXT_TELEMETRY_DISABLED: "1" };
  await run(process.execPath, [join(ROOT, "node_modules/next/dist/bin/next"), "build"], { cwd: project, env });
  return join(project, "out");
}

async function expectPicture(page: Page): Promise<void> {
  const prompt = "an owl on a blue background";
  await page.getByLabel("Prompt").fill(prompt);
  await page.getByLabel("Size").selectOption("64");
  await page.getByLabel("Steps").fill("1");
  await page.getByRole("button", { name: "Generate" }).click();
  const picture = page.getByRole("img", { name: prompt });
  await picture.waitFor({ timeout: 0 });
  expect(await picture.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(64);
}

/** The worker is there and reads the model; a picture would take a software GPU much longer. */
async function expectLoadAndCancel(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Generate" }).click();
  await page.getByText("Loading the model").waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByText("Cancelled").waitFor();
}
