import { spawn } from "node:child_process";
import { vulkanEnvironment } from "./environment.mjs";
import { setUp } from "./setup.mjs";

/** Flags of V8 that onnxruntime's wasm needs at the start of a process; runtime/node/create-kleinbild.ts says why. */
export const ENGINE_FLAGS = ["--single-threaded", "--liftoff-only"];

/**
 * Sets up, bundles the program `tools/<name>/main.ts` and runs it. Ends this process with the program's exit status.
 *
 * @param {string} name
 * @param {readonly string[]} args
 */
export async function launch(name, args) {
  setUp();
  const { bundleProgram } = await import("./bundling/bundle-program.mjs");
  const program = await bundleProgram(name);
  // a server must answer while the engine works, so the engine gets a process of its own
  const flags = name === "cli" && args[0] === "serve" ? [] : ENGINE_FLAGS;
  await runNode([...flags, program, ...args]);
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
