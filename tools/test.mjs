import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { setUp } from "./setup.mjs";

/**
 * Everything that a change must pass: format, lint, types, import rules, no unused code, the package's build, and all tests. Arguments are
 * names of test projects (all unless given); `--full` runs the whole matrix of goldens. Ends in `N passed, N failed`.
 */

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const REPORT = `${ROOT}.cache/vitest.json`;
const args = process.argv.slice(2);
const full = args.includes("--full");
const projects = args.filter((arg) => !arg.startsWith("--"));

/** @type {readonly [name: string, program: string, args: readonly string[]][]} */
const CHECKS = [
  ["format", "oxfmt/bin/oxfmt", ["--check", "."]],
  ["lint", "oxlint/bin/oxlint", ["--deny-warnings"]],
  ["types", "typescript7/bin/tsc", ["-p", "tsconfig.json"]],
  [
    "import rules",
    "dependency-cruiser/bin/dependency-cruise.mjs",
    ["runtime", "kernels", "demo", "bench", "tools", "test"],
  ],
  ["unused code", "knip/bin/knip.js", []],
];

setUp();
let passed = 0;
let failed = 0;
/** @type {string[]} */
const failures = [];

/**
 * @param {string} name
 * @param {boolean} succeeded
 */
function count(name, succeeded) {
  if (succeeded) passed++;
  else {
    failed++;
    failures.push(name);
  }
  console.log(`${name} ${succeeded ? "ok" : "FAILED"}`);
}

if (projects.length === 0) {
  for (const [name, program, rest] of CHECKS) count(name, runNode([`node_modules/${program}`, ...rest]));
  count("build", runNode(["tools/build-package.mjs"]));
}
runVitest();
if (failures.length > 0) console.log(`failed: ${failures.join(", ")}`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);

function runVitest() {
  rmSync(REPORT, { force: true });
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${REPORT}`];
  const ran = runNode([
    "node_modules/vitest/vitest.mjs",
    "run",
    ...reporters,
    ...projects.flatMap((name) => ["--project", name]),
  ]);
  /** @type {{ numPassedTests: number, numFailedTests: number, numPendingTests: number, numTodoTests: number } | undefined} */
  let report;
  try {
    report = JSON.parse(readFileSync(REPORT, "utf8"));
  } catch {
    report = undefined; // vitest itself failed, and said why
  }
  if (!report) return count("vitest", false);
  passed += report.numPassedTests;
  failed += report.numFailedTests;
  const skipped = report.numPendingTests + report.numTodoTests;
  if (skipped > 0) count(`${skipped} skipped tests`, false);
  if (report.numFailedTests > 0) failures.push("tests above");
  // a file that cannot be loaded, or an error outside of any test, fails the run but no test
  else if (!ran) count("vitest", false);
}

/** @param {readonly string[]} args */
function runNode(args) {
  const env = { ...process.env, ...(full ? { KLEINBILD_FULL: "1" } : {}) };
  return spawnSync(process.execPath, args, { cwd: ROOT, stdio: "inherit", env }).status === 0;
}
