import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import type { OperatorReport } from "../../runtime/autotune/open-dense-backend.ts";
import { launchBrowser } from "../../tools/browsers.ts";
import { serveFolder, type SiteServer } from "../../tools/site-server.ts";
import { ROOT } from "./consumer.ts";

const WASM = "ort-wasm-simd-threaded.asyncify.wasm";

/** The package on one host, onnxruntime on a second, the page that uses both on a third. */
let servers: readonly SiteServer[];
let folder: string;
let browser: BrowserContext;
let page: Page;
let ortWasmUrl: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "kleinbild-page-"));
  servers = await Promise.all([
    serveFolder(inject("packed").folder, { cors: true }),
    serveFolder(join(ROOT, "node_modules/onnxruntime-web/dist"), { cors: true }),
    serveFolder(folder),
  ]);
  const [packageOrigin, ortOrigin, pageOrigin] = servers.map(({ url }) => new URL(url).origin);
  ortWasmUrl = `${ortOrigin}/${WASM}`;
  const standalone = `${packageOrigin}/dist/standalone`;
  // as docs/embed.md has it
  const policy = `script-src 'self' ${packageOrigin} 'wasm-unsafe-eval'; worker-src blob: ${packageOrigin}; connect-src ${packageOrigin} ${ortOrigin}`;
  writeFileSync(
    join(folder, "index.html"),
    `<!doctype html><meta http-equiv="Content-Security-Policy" content="${policy}" /><link rel="icon" href="data:," />
<script type="module" src="./page.js"></script><kleinbild-studio></kleinbild-studio>`,
  );
  writeFileSync(
    join(folder, "page.js"),
    `import { createKleinbild } from "${standalone}/kleinbild.js";
import { runBenchmark } from "${standalone}/bench.js";
import "${standalone}/studio.js";
const open = (options) => createKleinbild({ dtype: "f32", warmUp: false, ...options });
globalThis.choose = async (options) => {
  const engine = await open(options);
  const { dense } = await engine.info();
  await engine.dispose();
  return Object.values(dense);
};
globalThis.makePicture = async (options) => {
  let engine;
  try {
    engine = await open(options);
    const { image, report } = await engine.generate({ prompt: "a fox", width: 64, height: 64, steps: 1 }).result;
    return { width: image.width, backend: report.backend };
  } catch ({ code }) {
    return { code };
  } finally {
    await engine?.dispose();
  }
};
globalThis.measure = async () => {
  const types = new Set();
  for await (const { type } of runBenchmark({ cases: ["roofline"], seconds: 1 })) types.add(type);
  return [...types];
};
`,
  );
  browser = await launchBrowser("chromium");
  page = await browser.newPage();
  await page.goto(pageOrigin!);
  await page.waitForFunction(() => "measure" in globalThis);
});
afterAll(async () => {
  await browser.close();
  await Promise.all(servers.map((server) => server.close()));
  rmSync(folder, { recursive: true, force: true });
});

const call = <Result>(name: string, options: object): Promise<Result> =>
  page.evaluate<Result>(`globalThis.${name}(${JSON.stringify(options)})`);

/** What became of onnxruntime for each operator. */
async function tryOrt(options: object): Promise<readonly OperatorReport["candidates"][number][]> {
  const dense = await call<readonly OperatorReport[]>("choose", options);
  return dense.flatMap(({ candidates }) => candidates.filter(({ name }) => name === "ort"));
}

describe("the modules for pages without a bundler, from another origin", () => {
  it("make a picture without onnxruntime's wasm, and say so", async () => {
    const tried = await tryOrt({});
    expect(tried.map(({ refused }) => refused?.slice(0, 33))).toEqual(
      Array.from({ length: 2 }, () => "onnxruntime-web could not create a session: "),
    );
    expect(await call("makePicture", {})).toEqual({ width: 64, backend: "wgsl" });
  });

  it("refuse onnxruntime's backend as unsupported then", async () => {
    expect(await call("makePicture", { backend: "ort" })).toEqual({ code: "unsupported" });
  });

  it("time onnxruntime if they get the address of its wasm", async () => {
    const tried = await tryOrt({ ortWasmUrl });
    expect(tried.map(({ milliseconds }) => milliseconds)).toEqual([expect.any(Number), expect.any(Number)]);
  });

  it("run the benchmark", async () => {
    expect(await page.evaluate("globalThis.measure()")).toEqual(["case", "row", "caseDone", "report"]);
  });

  it("define <kleinbild-studio>", async () => {
    await page.waitForFunction(() => document.querySelector("kleinbild-studio")!.shadowRoot !== null);
    expect(await page.evaluate(`customElements.get("kleinbild-studio") !== undefined`)).toBe(true);
  });
});
