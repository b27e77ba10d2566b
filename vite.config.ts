import { availableParallelism, totalmem } from "node:os";
import { defineConfig } from "vitest/config";
import { swiftShaderEnvironment, vulkanEnvironment } from "./tools/environment.mjs";
import { ENGINE_FLAGS } from "./tools/launch.mjs";

/** Files that run at the same time: the software GPU uses all cores, but compiles and checks on one. */
const GIB = 2 ** 30;
const WORKERS = Math.max(1, Math.min(2, availableParallelism(), Math.floor(totalmem() / (4 * GIB))));

/** Each file on the GPU has a process of its own, with the flags that `kleinbild/node` needs. */
const gpu = {
  pool: "forks" as const,
  execArgv: ENGINE_FLAGS,
  maxWorkers: WORKERS,
  testTimeout: 120_000,
  hookTimeout: 120_000,
};

/** A software GPU in a browser takes minutes for what Dawn does in one. */
const browser = { ...gpu, testTimeout: 900_000, hookTimeout: 300_000 };

const FULL = process.env["KLEINBILD_FULL"] === "1";
/** Page tests of what seldom breaks: in the full run only. */
const FULL_STUDIO = ["reflow", "element"].map((name) => `test/studio/${name}.test.ts`);

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
          testTimeout: 30_000,
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
          include: ["test/gpu/**/*.test.ts"],
          // compilers, whatever the adapter; and tiles that it compiles for a minute and never uses
          exclude: ["test/gpu/naga.test.ts", "test/gpu/tint.test.ts", "test/gpu/tiles.test.ts"],
          env: swiftShaderEnvironment(),
          ...gpu,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: { name: "engine", include: ["test/engine/**/*.test.ts"], ...gpu, sequence: { groupOrder: 3 } },
      },
      {
        extends: true,
        test: { name: "browser", include: ["test/browser/**/*.test.ts"], ...browser, sequence: { groupOrder: 4 } },
      },
      {
        extends: true,
        test: {
          name: "studio",
          include: ["test/studio/**/*.test.ts"],
          exclude: FULL ? [] : FULL_STUDIO,
          globalSetup: "test/studio/build-site.ts",
          ...browser,
          sequence: { groupOrder: 7 },
        },
      },
      {
        extends: true,
        test: {
          name: "package",
          include: ["test/{package,cli}/**/*.test.ts"],
          globalSetup: ["test/package/pack.ts"],
          ...browser,
          sequence: { groupOrder: 6 },
        },
      },
      {
        extends: true,
        test: { name: "golden", include: ["test/golden/**/*.test.ts"], ...gpu, sequence: { groupOrder: 5 } },
      },
    ],
  },
});
