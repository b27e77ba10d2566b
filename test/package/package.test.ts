import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { build } from "vite";
import { launchBrowser } from "../../tools/browsers.ts";
import { serveFolder } from "../../tools/site-server.ts";
import { createConsumer, ROOT } from "./consumer.ts";

const TINY = { prompt: "a fox on a teal background", width: 64, height: 64, steps: 1, seed: 7 };

const packed = inject("packed");
let project: string;
beforeAll(() => {
  project = createConsumer(packed.folder);
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

describe("the packed package", () => {
  it("holds modules, declarations, klein-nano, the JSON Schema and the papers, and nothing else", () => {
    const others = packed.files.filter((path) => !/^(dist\/.*\.(js|js\.map|d\.ts)|models\/klein-nano\/.*)$/.test(path));
    expect(others.toSorted()).toEqual([
      "CHANGELOG.md",
      "LICENSE",
      "README.md",
      "dist/standalone/LICENCES.txt",
      "package.json",
      "schema/image-inference.json",
    ]);
    for (const path of [
      "dist/index.js",
      "dist/worker.js",
      "dist/node.js",
      "dist/node-host.js",
      "dist/cli.js",
      "dist/bench.js",
      "dist/bench-worker.js",
      "dist/studio.js",
      "dist/standalone/kleinbild.js",
      "dist/standalone/worker.js",
      "dist/standalone/bench.js",
      "dist/standalone/bench-worker.js",
      "dist/standalone/studio.js",
      "models/klein-nano/kleinbild.json",
    ])
      expect(packed.files).toContain(path);
  });

  it("imports only what it declares, nothing of Node for pages, and the benchmark only where it is asked for", () => {
    const { dependencies, peerDependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as Record<
      "dependencies" | "peerDependencies",
      Record<string, string>
    >;
    const declared = Object.keys({ ...dependencies, ...peerDependencies });
    const dist = join(project, "node_modules/kleinbild/dist");
    const seen = new Set<string>();
    const wrong: string[] = [];
    const visit = (file: string, inPage: boolean): void => {
      if (seen.has(`${file} ${inPage}`)) return;
      seen.add(`${file} ${inPage}`);
      const imports = /(?:^import (?:[^"\n]* from )?|^export [^"\n]* from |\bimport\()"([^"]+)"/gm;
      for (const [, specifier = ""] of readFileSync(join(dist, file), "utf8").matchAll(imports)) {
        if (specifier.startsWith("./")) visit(specifier.slice(2), inPage);
        else if (specifier.startsWith("node:") ? inPage : !isDeclared(specifier))
          wrong.push(`${file} imports ${specifier}`);
      }
    };
    const isDeclared = (specifier: string): boolean =>
      declared.some((name) => specifier === name || specifier.startsWith(`${name}/`));
    for (const file of ["index.js", "worker.js"]) visit(file, true);
    const benchmark = [...seen].filter((entry) =>
      readFileSync(join(dist, entry.split(" ")[0]!), "utf8").includes("kleinbild-benchmark-"),
    );
    expect(benchmark).toEqual([]);
    for (const file of ["bench.js", "bench-worker.js", "studio.js"]) visit(file, true);
    for (const file of ["node.js", "node-host.js", "cli.js"]) visit(file, false);
    expect(wrong).toEqual([]);
    expect(seen.size).toBeGreaterThan(6);
  });

  it.each(["bundler", "nodenext"])("has types that a strict project accepts, resolved as %s", (moduleResolution) => {
    writeFileSync(
      join(project, "consumer.ts"),
      `import { createKleinbild, createTaskRunner, type GenerateEvent, type ImageInferenceTask, installFetchAdapter, KleinbildError } from "kleinbild";
import { createKleinbild as inNode, createTaskRunner as inNodeTasks, FileUrls, guardedFetch } from "kleinbild/node";
import { serveFromServiceWorker } from "kleinbild/service-worker";
import { type BenchmarkReport, compareReports, reportMarkdown, runBenchmark } from "kleinbild/bench";
import "kleinbild/studio";
export const studio: HTMLElement = document.createElement("kleinbild-studio");
export async function measure(before: BenchmarkReport): Promise<string> {
  for await (const event of runBenchmark({ cases: ["operators"], seconds: 10, signal: AbortSignal.timeout(1) }))
    if (event.type === "report") return reportMarkdown(event.report) + compareReports(before, event.report).figures.length;
  return "";
}
export async function main(file: File): Promise<Blob> {
  const engine = await createKleinbild({ model: new URL("https://example.org/model/"), dtype: "f32" });
  const generation = engine.generate({ prompt: "a fox", references: [file], seed: 7n }, { signal: AbortSignal.timeout(1) });
  for await (const event of generation) seen(event);
  const { image, report } = await generation.result.catch((error: unknown) => {
    throw error instanceof KleinbildError && error.code === "device-lost" ? new Error(error.message) : error;
  });
  const bytes: number = report.memory.byCategory.transformer?.peakBytes ?? 0;
  await (await inNode({ model: "folder" })).dispose();
  const runner = createTaskRunner({ models: { "runware:400@4": { model: "/klein-4b/" } } });
  const task: ImageInferenceTask = { taskType: "imageInference", taskUUID: "", model: "", positivePrompt: "", width: 1, height: 1 };
  const { data, errors } = await runner.runTasks([task], { onResult: (item) => void item.taskUUID });
  installFetchAdapter(runner, { url: "https://example.org/v1" });
  inNodeTasks({ fetch: guardedFetch(), mediaUrls: new FileUrls("pictures") }).media.clear();
  if (errors.length > data.length) serveFromServiceWorker({ addEventListener: () => {} } as never);
  return bytes > 0 ? image.toBlob({ type: "image/webp" }) : new Blob();
}
function seen(event: GenerateEvent): number {
  return event.type === "step" ? event.step + (event.preview?.width ?? 0) : 0;
}
// @ts-expect-error a step count is a number
void createKleinbild().then((engine) => engine.generate({ prompt: "", steps: "4" }));
`,
    );
    const module = moduleResolution === "bundler" ? "esnext" : "nodenext";
    writeFileSync(
      join(project, "tsconfig.json"),
      JSON.stringify({
        compilerOptions: {
          module,
          moduleResolution,
          target: "es2023",
          lib: ["es2023", "dom", "esnext.disposable"],
          strict: true,
          noEmit: true,
          types: [],
        },
        files: ["consumer.ts"],
      }),
    );
    const compile = (): string =>
      execFileSync(process.execPath, [join(ROOT, "node_modules/typescript7/bin/tsc"), "-p", project], {
        encoding: "utf8",
      });
    expect(messageOf(compile)).toBe("");
  });

  it("makes a picture in a plain Node process, in a child that ends with it", () => {
    writeFileSync(
      join(project, "plain.js"),
      `import { createKleinbild } from "kleinbild/node";
const engine = await createKleinbild({ dtype: "f32" });
const failure = await engine.generate({ prompt: "", width: 1 }).result.catch((error) => error.code);
const { image } = await engine.generate(${JSON.stringify(TINY)}).result;
const { bytes } = await image.encode();
const edit = { ...${JSON.stringify(TINY)}, references: [await image.toBlob()] };
const { report } = await engine.generate(edit).result;
await engine.dispose();
console.log(JSON.stringify([failure, image.width, bytes.length > 500, report.referenceMode]));
`,
    );
    const output = execFileSync(process.execPath, ["plain.js"], {
      cwd: project,
      encoding: "utf8",
      env: { ...process.env, NODE_OPTIONS: "" },
    });
    expect(JSON.parse(output)).toEqual(["invalid-request", 64, true, "exact"]);
  });

  it("is a program that makes a picture", () => {
    const { bin } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
      readonly bin: { readonly kleinbild: string };
    };
    const program = join(project, "node_modules/kleinbild", bin.kleinbild);
    const { prompt, width, height, steps, seed } = TINY;
    const picture = ["--width", width, "--height", height, "--steps", steps, "--seed", seed].map(String);
    const output = execFileSync(
      process.execPath,
      [program, "generate", "--prompt", prompt, ...picture, "--dtype", "f32", "--out", "fox.png", "--json"],
      { cwd: project, encoding: "utf8", env: { ...process.env, NODE_OPTIONS: "" } },
    );
    expect(JSON.parse(output)).toMatchObject({ out: "fox.png", width, height, report: { model: "klein-nano" } });
    expect(readFileSync(join(project, "fox.png")).subarray(1, 4).toString()).toBe("PNG");
    const stored = execFileSync(process.execPath, [program, "models", "list", "--store", project], {
      encoding: "utf8",
    });
    expect(JSON.parse(stored)).toEqual([]);
  });

  it("is bundled by Vite with the benchmark's worker and <kleinbild-studio>", async () => {
    writeFileSync(
      join(project, "index.html"),
      `<!doctype html><link rel="icon" href="data:," /><script type="module" src="./page.js"></script><kleinbild-studio></kleinbild-studio>`,
    );
    writeFileSync(
      join(project, "page.js"),
      `import { runBenchmark } from "kleinbild/bench";
import "kleinbild/studio";
globalThis.measure = async () => {
  const types = new Set();
  for await (const { type } of runBenchmark({ cases: ["roofline"], seconds: 1 })) types.add(type);
  return [...types, crossOriginIsolated];
};
`,
    );
    await build({ root: project, configFile: false, logLevel: "error", worker: { format: "es" } });
    const server = await serveFolder(join(project, "dist"));
    const browser = await launchBrowser("chromium");
    try {
      const page = await browser.newPage();
      await page.goto(server.url);
      await page.waitForFunction("globalThis.measure !== undefined");
      expect(await page.evaluate("globalThis.measure()")).toEqual(["case", "row", "caseDone", "report", false]);
      await page.waitForFunction(`document.querySelector("kleinbild-studio").shadowRoot !== null`);
    } finally {
      await browser.close();
      await server.close();
    }
  });
});

/** What a compiler printed before it failed; empty when it did not. */
function messageOf(compile: () => string): string {
  try {
    return compile();
  } catch (error) {
    return (error as { readonly stdout: string }).stdout;
  }
}
