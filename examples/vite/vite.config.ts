import { defineConfig } from "vite";

export default defineConfig({
  base: "./", // works in any folder of a static host
  worker: { format: "es" }, // the worker loads onnxruntime only where it is used
  optimizeDeps: { exclude: ["kleinbild", "onnxruntime-web"] }, // both find files beside their own modules
});
