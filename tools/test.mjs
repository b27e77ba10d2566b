import { spawn } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { setUp } from "./setup.mjs";

/**
 * Everything that a change must pass: format, lint, types, import rules, no unused code, the public API, the builds of package and page, and
 * all tests. Arguments are names of test projects (all unless given); `--full` adds what vite.config.ts leaves to the full
 * run. Ends in `N passed, N failed`.
 */

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const REPORT = `${ROOT}.cache/vitest.json`;
const args = process.argv.slice(2);
const full = args.includes("--full");
const projects = args.filter((arg) => !arg.startsWith("--"));

/**
 * Programs that must end with status 0. They run side by side and read nothing that another one writes; the tests use what
 * the last two build.
 *
 * @type {readonly [name: string, program: string, args: readonly string[]][]}
 */
const CHECKS = [
  ["format", "node_modules/oxfmt/bin/oxfmt", ["--check", "."]],
  ["lint", "node_modules/oxlint/bin/oxlint", ["--deny-warnings"]],
  ["types", "node_modules/typescript7/bin/tsc", ["-p", "tsconfig.json"]],
  [
    "import rules",
    "node_modules/dependency-cruiser/bin/dependency-cruise.mjs",
    ["runtime", "kernels", "demo", "bench", "tools", "test"],
  ],
  ["unused code", "node_modules/knip/bin/knip.js", []],
  ["API report", "tools/api.mjs", ["--check"]],
  ["API reference", "node_modules/typedoc/bin/typedoc", ["--emit", "none"]],
  ["package", "tools/build.mjs", ["package"]],
  ["page", "tools/build.mjs", ["site"]],
];

setUp();
let passed = 0;
let failed = 0;
/** @type {string[]} */
const failures = [];

if (projects.length === 0) await Promise.all(CHECKS.map(runCheck));
await runVitest();
if (failures.length > 0) console.log(`failed: ${failures.join(", ")}`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);

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

/**
 * Runs a check, and prints its output when it has ended.
 *
 * @param {(typeof CHECKS)[number]} check
 */
async function runCheck([name, program, rest]) {
  const { succeeded, output } = await runNode([program, ...rest], "pipe");
  process.stdout.write(output);
  count(name, succeeded);
}

async function runVitest() {
  rmSync(REPORT, { force: true });
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${REPORT}`];
  const named = projects.flatMap((name) => ["--project", name]);
  const { succeeded } = await runNode(["node_modules/vitest/vitest.mjs", "run", ...reporters, ...named], "inherit");
  /** @type {{ numPassedTests: number, numFailedTests: number, numPendingTests: number, numTodoTests: number } | undefined} */
  let report;
  try {
    report = JSON.parse(readFileSync(REPORT, "utf8"));
  } catch {
    report = undefined; // vitest itself failed and printed the reason
  }
  if (!report) return count("vitest", false);
  passed += report.numPassedTests;
  failed += report.numFailedTests;
  const skipped = report.numPendingTests + report.numTodoTests;
  if (skipped > 0) count(`${skipped} skipped tests`, false);
  if (report.numFailedTests > 0) failures.push("tests above");
  // a file that cannot be loaded, or an error outside of a test, fails the run without a failed test
  else if (!succeeded) count("vitest", false);
}

/**
 * @param {readonly string[]} args
 * @param {"inherit" | "pipe"} stdio
 * @returns {Promise<{ readonly succeeded: boolean, readonly output: string }>}
 */
function runNode(args, stdio) {
  const env = {
    ...process.env,
    ...(full && { KLEINBILD_FULL: "1" }),
    ...(projects.length === 0 && { KLEINBILD_BUILT: "1" }), // so that the tests do not build again
  };
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ["ignore", stdio, stdio], env });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (data) => (output += String(data)));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => resolve({ succeeded: status === 0, output }));
  });
}
