import { fileURLToPath } from "node:url";
import { Licences } from "./tools/bundling/licences.mjs";
import { DECLARED, modules } from "./tools/bundling/modules.mjs";

const ROOT = fileURLToPath(new URL(".", import.meta.url));
const chunkFileNames = "[name]-[hash].js";
/** Folder of the modules that a page loads with onnxruntime only. */
export const ON_DEMAND = "on-demand/";

/**
 * The package, in dist/: for Node and for bundlers, which follow the addresses of workers and models.
 *
 * @type {import("rolldown").BuildOptions}
 */
const dist = {
  ...modules(
    "dist",
    {
      index: "runtime/index.ts",
      worker: "runtime/worker.ts",
      node: "runtime/node.ts",
      "node-host": "runtime/node/host.ts",
      "service-worker": "runtime/task/serve/service-worker.ts",
      bench: "bench/index.ts",
      "bench-worker": "bench/bench-worker.ts",
      studio: "demo/studio.ts",
      cli: "tools/cli/bin.ts",
    },
    DECLARED,
  ),
  output: { dir: `${ROOT}dist`, cleanDir: true, chunkFileNames, sourcemap: true },
};

const standaloneModules = modules("dist/standalone", {
  kleinbild: "runtime/index.ts",
  worker: "runtime/worker.ts",
  bench: "bench/index.ts",
  "bench-worker": "bench/bench-worker.ts",
  studio: "demo/studio.ts",
});

/**
 * Modules for pages without a bundler, in dist/standalone/: with all packages, and workers that start from any origin.
 *
 * @type {import("rolldown").BuildOptions}
 */
const standalone = {
  ...standaloneModules,
  plugins: [standaloneModules.plugins, new Licences().write("LICENCES.txt")],
  transform: {
    ...standaloneModules.transform,
    inject: { Worker: [`${ROOT}runtime/page/any-origin-worker.ts`, "AnyOriginWorker"] },
  },
  output: { dir: `${ROOT}dist/standalone`, chunkFileNames, minify: true },
};

/**
 * The modules that a page loads to make pictures. Only their size is used: by .size-limit.json and the benchmark.
 *
 * @type {import("rolldown").BuildOptions}
 */
export const page = {
  ...modules("dist", { index: "runtime/index.ts", worker: "runtime/worker.ts" }),
  output: {
    dir: `${ROOT}.cache/page`,
    cleanDir: true,
    minify: true,
    chunkFileNames: ({ isDynamicEntry }) => `${isDynamicEntry ? ON_DEMAND : ""}[name].js`,
  },
};

export default [dist, standalone, page];
