import { availableParallelism, totalmem } from "node:os";
import { defineConfig } from "vitest/config";
import { swiftShaderEnvironment, vulkanEnvironment } from "./tools/environment.mjs";
import { ENGINE_FLAGS } from "./tools/launch.mjs";

const FULL = process.env["KLEINBILD_FULL"] === "1";

/**
 * What `npm test` leaves to `npm run test:full`, so that it takes minutes. Besides, the files that read `KLEINBILD_FULL` have
 * more cases then: goldens by backend, precision and browser, and the second browser.
 */
const FULL_ONLY = FULL
  ? []
  : [
      // SwiftShader compiles anew in each browser and page, for a minute of one core and more a file
      ...["access", "element", "failures", "keyboard", "make", "models", "reflow"].map(studioTest),
      "test/browser/benchmark.test.ts",
      "test/browser/worker.test.ts",
      // four bundlers, and the package's page on three hosts
      "test/package/examples.test.ts",
      "test/package/standalone.test.ts",
      // a third implementation of WebGPU
      "test/golden/deno.test.ts",
    ];

/** Files that run at the same time: a software GPU uses all cores, but compiles, and is checked, on one. */
const GIB = 2 ** 30;
const WORKERS = Math.max(1, Math.min(2, availableParallelism(), Math.floor(totalmem() / (4 * GIB))));

/** Each file on the GPU has a process of its own, with the flags that `kleinbild/node` needs. */
const gpu = {
  pool: "forks" as const,
  execArgv: ENGINE_FLAGS,
  maxWorkers: WORKERS,
  exclude: FULL_ONLY,
  testTimeout: 300_000,
  hookTimeout: 300_000,
};

/** A software GPU in a browser takes minutes for what Dawn does in one. */
const browser = { ...gpu, testTimeout: 900_000, hookTimeout: 600_000 };

export default defineConfig({
  server: { fs: { allow: [import.meta.dirname] } },
  worker: { format: "es" },
  // onnxruntime finds its wasm beside itself; the others are named because a worker's imports are not crawled in advance,
  // and a page is reloaded when one is found late
  optimizeDeps: {
    exclude: ["onnxruntime-web"],
    include: [
      "comlink",
      "valibot",
      "pica",
      "lru-cache",
      "p-retry",
      "idb-keyval",
      "@huggingface/tokenizers",
      "@noble/hashes/legacy.js",
      "@noble/hashes/sha2.js",
      "@noble/hashes/utils.js",
    ],
  },
  test: {
    env: vulkanEnvironment(),
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["test/unit/**/*.test.ts"],
          testTimeout: 120_000, // a busy machine is ten times slower
          // importing takes longer than most files run: modules are shared, mocks are taken back after each test
          pool: "threads",
          isolate: false,
          maxWorkers: availableParallelism(),
          restoreMocks: true,
          unstubEnvs: true,
          unstubGlobals: true,
          sequence: { groupOrder: 0 },
        },
      },
      { extends: true, test: { name: "gpu", include: ["test/gpu/**/*.test.ts"], ...gpu, sequence: { groupOrder: 1 } } },
      {
        extends: true,
        test: {
          name: "gpu-swiftshader",
          // a second profile, compiled anew in each run
          include: FULL ? ["test/gpu/**/*.test.ts"] : [],
          ...gpu,
          // compilers, whatever the adapter; and tiles that it compiles for a minute and never uses
          exclude: ["test/gpu/naga.test.ts", "test/gpu/tint.test.ts", "test/gpu/tiles.test.ts"],
          env: swiftShaderEnvironment(),
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: { name: "engine", include: ["test/engine/**/*.test.ts"], ...gpu, sequence: { groupOrder: 1 } },
      },
      {
        extends: true,
        test: { name: "browser", include: ["test/browser/**/*.test.ts"], ...browser, sequence: { groupOrder: 2 } },
      },
      {
        extends: true,
        test: { name: "golden", include: ["test/golden/**/*.test.ts"], ...gpu, sequence: { groupOrder: 1 } },
      },
      {
        extends: true,
        test: {
          name: "package",
          include: ["test/{package,cli}/**/*.test.ts"],
          globalSetup: ["test/package/pack.ts"],
          ...browser,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          name: "studio",
          include: ["test/studio/**/*.test.ts"],
          globalSetup: "test/studio/build-site.ts",
          ...browser,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});

function studioTest(name: string): string {
  return `test/studio/${name}.test.ts`;
}
