import { defineConfig } from "vitest/config";
import { vulkanEnvironment } from "./tools/environment.mjs";
import { ENGINE_FLAGS } from "./tools/launch.mjs";

/** Tests on the GPU share one device's worth of cores: files run one after the other, in a process as `kleinbild/node` needs it. */
const gpu = {
  pool: "forks" as const,
  execArgv: ENGINE_FLAGS,
  fileParallelism: false,
  testTimeout: 120_000,
  hookTimeout: 120_000,
};

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
      "@huggingface/tokenizers",
      "@noble/hashes/sha2.js",
      "@noble/hashes/utils.js",
    ],
  },
  test: {
    env: vulkanEnvironment(),
    projects: [
      { extends: true, test: { name: "unit", include: ["test/unit/**/*.test.ts"] } },
      { extends: true, test: { name: "gpu", include: ["test/gpu/**/*.test.ts"], ...gpu } },
    ],
  },
});
