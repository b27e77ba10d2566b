import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { vulkanEnvironment } from "./environment.mjs";
import { setUp } from "./setup.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** What V8 must be told at its start for onnxruntime's wasm; runtime/node.ts says why. */
export const ENGINE_FLAGS = ["--single-threaded", "--liftoff-only"];

/**
 * Sets up, bundles a TypeScript program and runs it in a Node process as the engine needs it. Ends this process with the
 * program's exit status.
 *
 * @param {string} name   of the bundle
 * @param {string} entry  source file of the program
 * @param {readonly string[]} args
 * @param {{ ownProcess?: boolean }} [options]  whether the engine gets a process of its own, so that the program can
 *   answer while the engine is busy
 */
export async function launch(name, entry, args, { ownProcess = false } = {}) {
  setUp();
  const { bundle } = await import("./build.mjs");
  await bundle(".cache", { [name]: entry, ...(ownProcess && { "node-host": "runtime/node/host.ts" }) });
  await runNode([...(ownProcess ? [] : ENGINE_FLAGS), `${ROOT}.cache/${name}.js`, ...args]);
}

/**
 * Runs Node on `args` with this process's streams, passes signals on, and ends as it ends.
 * @param {readonly string[]} args
 */
export async function runNode(args) {
  const child = spawn(process.execPath, args, { stdio: "inherit", env: { ...process.env, ...vulkanEnvironment() } });
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM"])) process.on(signal, () => child.kill(signal));
  const status = await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code, signal) => resolve(code ?? (signal === "SIGINT" ? 130 : 1)));
  });
  process.exit(status);
}
