import { launchBrowser, openPage, pageCall, startServer } from "../browsers.ts";
import type { BenchmarkChoice, BenchmarkEvent } from "../../bench/options.ts";
import type { BenchPage } from "../../bench/page/page.ts";

/** Runs the benchmark in a page of Chromium. Firefox reports finished work only every 100 ms, which is too coarse. */
export async function* runInChromium(choice: BenchmarkChoice): AsyncGenerator<BenchmarkEvent, void> {
  const server = await startServer();
  const browser = await launchBrowser("chromium");
  try {
    const page = await openPage(browser, `${server.origin}/bench/page/index.html`);
    const call = pageCall<BenchPage>();
    await call(page, "start", choice);
    for (;;) {
      const event = await call(page, "next");
      if (!event) return;
      yield event;
    }
  } finally {
    await browser.close();
    await server.close();
  }
}
