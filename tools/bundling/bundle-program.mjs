import { utimesSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { isFresh } from "./fresh.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** Everything that programs are built from. */
const SOURCES = ["runtime", "kernels", "bench", "tools", "test/deno", "package-lock.json"];

/**
 * Bundles a program into .cache/, unless its last bundle is newer than the sources. Packages stay imports.
 *
 * @param {string} name  name of the bundle
 * @param {string} [file]  source file in the repository
 * @returns {Promise<string>} path of the bundle
 */
export async function bundleProgram(name, file = `tools/${name}/main.ts`) {
  const stamp = `.cache/${name}.stamp`;
  if (!isFresh(stamp, SOURCES)) {
    const started = new Date();
    await bundle({ [name]: file, "node-host": "runtime/node/host.ts" });
    // written last, with a time before the sources were read
    writeFileSync(`${ROOT}${stamp}`, "");
    utimesSync(`${ROOT}${stamp}`, started, started);
  }
  return `${ROOT}.cache/${name}.js`;
}

/** @param {Readonly<Record<string, string>>} entries */
async function bundle(entries) {
  const [{ build }, { INSTALLED, modules }] = await Promise.all([import("rolldown"), import("./modules.mjs")]);
  const output = { dir: `${ROOT}.cache`, chunkFileNames: "[name]-[hash].js", sourcemap: true };
  await build({ ...modules(".cache", entries, INSTALLED), output });
}
