import { launchBrowser, openPage, pageCall, startServer } from "../tools/browsers.ts";
import type { BenchPage } from "./page/page.ts";
import type { OperatorReport } from "./run-operators.ts";

/** Times the operators in a page of Chromium. Firefox says that work is done only every 100 ms, which times nothing. */
export async function operatorsInChromium(dtype: "f32" | "f16" | undefined, repeats: number): Promise<OperatorReport> {
  const server = await startServer();
  const browser = await launchBrowser("chromium");
  try {
    const page = await openPage(browser, `${server.origin}/bench/page/index.html`);
    return await pageCall<BenchPage>()(page, "operators", dtype, repeats);
  } finally {
    await browser.close();
    await server.close();
  }
}
