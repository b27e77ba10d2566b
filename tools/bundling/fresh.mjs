import { readdirSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Whether a built file is newer than everything it is built from.
 *
 * @param {string} result  in the repository, the file that a build writes last
 * @param {readonly string[]} sources  files and folders in the repository
 */
export function isFresh(result, sources) {
  const built = statSync(`${ROOT}${result}`, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return sources.every((path) => newest(`${ROOT}${path}`) < built);
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
