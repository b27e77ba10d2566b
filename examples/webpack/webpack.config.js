import { fileURLToPath } from "node:url";

/** Nothing is said about Kleinbild: webpack 5 follows `new Worker(new URL(…))` and `new URL("file", import.meta.url)`. */
export default {
  entry: "./src/main.js",
  output: { path: fileURLToPath(new URL("public/build", import.meta.url)), clean: true },
  devServer: { static: "public", devMiddleware: { publicPath: "/build/" } },
  performance: { hints: false }, // model and wasm are large
};
