import { defineConfig } from "vitest/config";
import { vulkanEnvironment } from "./tools/environment.mjs";

/** Tests on the GPU share one device's worth of cores: files run one after the other, in a process as `kleinbild/node` needs it. */
const gpu = {
  pool: "forks" as const,
  execArgv: ["--single-threaded"],
  fileParallelism: false,
  testTimeout: 120_000,
  hookTimeout: 120_000,
};

export default defineConfig({
  test: {
    env: vulkanEnvironment(),
    projects: [
      { extends: true, test: { name: "unit", include: ["test/unit/**/*.test.ts"] } },
      { extends: true, test: { name: "gpu", include: ["test/gpu/**/*.test.ts"], ...gpu } },
    ],
  },
});
