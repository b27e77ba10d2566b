import { utimesSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { isFresh } from "./fresh.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** What programs are built from. */
const SOURCES = ["runtime", "kernels", "bench", "tools", "package-lock.json"];

/**
 * Bundles `tools/<name>/main.ts` into .cache/, unless its last bundle is newer than the sources.
 *
 * @param {string} name
 * @returns {Promise<string>} the path of the bundle
 */
export async function bundleProgram(name) {
  const stamp = `.cache/${name}.stamp`;
  if (!isFresh(stamp, SOURCES)) {
    const started = new Date();
    const { bundle } = await import("./build.mjs");
    await bundle(".cache", { [name]: `tools/${name}/main.ts`, "node-host": "runtime/node/host.ts" });
    // written last, with the time before the sources were read
    writeFileSync(`${ROOT}${stamp}`, "");
    utimesSync(`${ROOT}${stamp}`, started, started);
  }
  return `${ROOT}.cache/${name}.js`;
}
