import { type BrowserContext, chromium } from "playwright-core";

const ARGUMENTS = [
  "--no-sandbox",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];
const SOFTWARE_GPU = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];

/**
 * Chromium with a profile of its own, gone with it: what is private to a window can be neither installed nor kept.
 *
 * @param options.gpu  whether pages have WebGPU, in software; a page without it is there at once
 */
export function launchChromium({ gpu = false } = {}): Promise<BrowserContext> {
  return chromium.launchPersistentContext("", {
    executablePath: "/usr/bin/chromium",
    args: [...ARGUMENTS, ...(gpu ? SOFTWARE_GPU : ["--disable-features=WebGPU"])],
  });
}
