import { readdirSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** What the page is built from. */
const SOURCES = [
  "demo",
  "runtime",
  "kernels",
  "bench",
  "models",
  "tools/site",
  "tools/licences.mjs",
  "site.config.ts",
  "package-lock.json",
];
/** Written last. */
const RESULT = "site/licenses.txt";

/** Whether site/ is newer than all that it is built from. */
export function isSiteFresh() {
  const built = statSync(`${ROOT}${RESULT}`, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return SOURCES.every((path) => newest(`${ROOT}${path}`) < built);
}

/**
 * The time of the last change, in milliseconds; a folder changes when a file in it comes or goes.
 * @param {string} path
 * @returns {number}
 */
function newest(path) {
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.mtimeMs;
  return readdirSync(path).reduce((time, name) => Math.max(time, newest(`${path}/${name}`)), stats.mtimeMs);
}
