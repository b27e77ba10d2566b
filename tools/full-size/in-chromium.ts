import { join } from "node:path";
import type { WebWorker } from "puppeteer-core";
import { launchBrowser, openPage, pageCall, startServer } from "../browsers.ts";
import type { FullSizePage } from "./page/page.ts";

const SAMPLE_MS = 100;

export interface ChromiumOutcome {
  /** Of the files in the page's private file system. */
  readonly storedBytes: number;
  /** The most that the worker's heap and its buffers held at once, sampled. */
  readonly workerBytes: number;
}

/** Downloads and repacks a model in a page of Chromium, into its private file system. */
export async function downloadInChromium(
  modelUrl: string,
  quantization: "q4" | "q8",
  folder: string,
): Promise<ChromiumOutcome> {
  const server = await startServer();
  const browser = await launchBrowser("chromium", join(folder, "chromium-profile"));
  let workerBytes = 0;
  let timer: NodeJS.Timeout | undefined;
  try {
    const page = await openPage(browser, `${server.origin}/tools/full-size/page/index.html`);
    page.on("workercreated", (worker) => {
      timer = setInterval(() => {
        const sample = (bytes: number): void => void (workerBytes = Math.max(workerBytes, bytes));
        usedBytes(worker).then(sample, () => {}); // it may have ended
      }, SAMPLE_MS);
    });
    const { bytes } = await pageCall<FullSizePage>()(page, "download", modelUrl, quantization);
    return { storedBytes: bytes, workerBytes };
  } finally {
    clearInterval(timer);
    await browser.close();
    await server.close();
  }
}

async function usedBytes(worker: WebWorker): Promise<number> {
  const usage: { usedSize: number; backingStorageSize?: number } = await worker.client.send("Runtime.getHeapUsage");
  return usage.usedSize + (usage.backingStorageSize ?? 0);
}
