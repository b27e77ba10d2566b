import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { setUp } from "./setup.mjs";

/**
 * `npm run build`: builds both of these, or the one that is named.
 *
 * - `package`: modules and declarations in dist/, the tarball that npm would publish in .cache/packed/
 * - `site`: the studio as a static folder, in site/
 */

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const PACKED = `${ROOT}.cache/packed`;

setUp();
const named = process.argv.slice(2);
if (named.length === 0 || named.includes("package")) await buildPackage();
if (named.length === 0 || named.includes("site")) await buildSite();

async function buildPackage() {
  const { build } = await import("rolldown");
  const { default: configs } = await import("../rolldown.config.mjs");
  for (const config of configs) await build(config); // in order: the first one empties the folder that the second one is in
  run(process.execPath, [`${ROOT}node_modules/typescript7/bin/tsc`, "-p", `${ROOT}tsconfig.build.json`]);
  rmSync(PACKED, { recursive: true, force: true });
  mkdirSync(PACKED, { recursive: true });
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  run(npm, ["pack", "--silent", "--ignore-scripts", "--pack-destination", PACKED]);
}

async function buildSite() {
  const { build } = await import("vite");
  await build({ configFile: `${ROOT}site.config.ts`, logLevel: "warn" });
}

/**
 * Runs a program with its output on standard error. Ends this process if it fails.
 *
 * @param {string} program
 * @param {readonly string[]} args
 */
function run(program, args) {
  try {
    execFileSync(program, args, { cwd: ROOT, stdio: ["ignore", 2, 2], shell: process.platform === "win32" });
  } catch {
    process.exit(1); // the program has said why
  }
}
