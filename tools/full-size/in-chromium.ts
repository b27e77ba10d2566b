import { join } from "node:path";
import type { CDPSession } from "playwright-core";
import { launchBrowser, openPage, pageCall, startServer } from "../browsers.ts";
import type { FullSizePage } from "./page/page.ts";

const SAMPLE_MS = 100;

export interface ChromiumOutcome {
  /** Bytes of the files in the origin private file system. */
  readonly storedBytes: number;
  /** Sampled peak of the worker's heap and buffers. */
  readonly workerBytes: number;
}

/** Downloads and repacks a model in a page of Chromium, into the origin private file system. */
export async function downloadInChromium(
  modelUrl: string,
  quantization: "q4" | "q8",
  folder: string,
): Promise<ChromiumOutcome> {
  const server = await startServer();
  const browser = await launchBrowser("chromium", { profile: join(folder, "chromium-profile") });
  let workerBytes = 0;
  let timer: NodeJS.Timeout | undefined;
  try {
    const page = await openPage(browser, `${server.origin}/tools/full-size/page/index.html`);
    const sample = (bytes: number): void => void (workerBytes = Math.max(workerBytes, bytes));
    const askForUsage = await watchWorker(await browser.newCDPSession(page), sample);
    timer = setInterval(askForUsage, SAMPLE_MS);
    const { bytes } = await pageCall<FullSizePage>()(page, "download", modelUrl, quantization);
    return { storedBytes: bytes, workerBytes };
  } finally {
    clearInterval(timer);
    await browser.close();
    await server.close();
  }
}

/**
 * Measures the memory of the worker that starts next. Playwright has no DevTools session for a worker, so messages go through
 * the session of the page.
 *
 * @returns a function that takes a sample, once there is a worker
 */
async function watchWorker(session: CDPSession, sample: (bytes: number) => void): Promise<() => void> {
  let worker: string | undefined;
  session.on("Target.attachedToTarget", ({ sessionId, targetInfo }) => {
    if (targetInfo.type === "worker") worker = sessionId;
  });
  session.on("Target.detachedFromTarget", () => (worker = undefined));
  session.on("Target.receivedMessageFromTarget", ({ message }) => {
    const { result }: UsageAnswer = JSON.parse(message);
    if (result) sample(result.usedSize + (result.backingStorageSize ?? 0));
  });
  await session.send("Target.setAutoAttach", { autoAttach: true, waitForDebuggerOnStart: false, flatten: false });
  const message = JSON.stringify({ id: 1, method: "Runtime.getHeapUsage" });
  return () => {
    if (worker === undefined) return;
    session.send("Target.sendMessageToTarget", { sessionId: worker, message }).catch(() => {}); // it may have ended
  };
}

interface UsageAnswer {
  readonly result?: { readonly usedSize: number; readonly backingStorageSize?: number };
}
