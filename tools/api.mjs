import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { CompilerState, Extractor, ExtractorConfig, ExtractorLogLevel } from "@microsoft/api-extractor";

/**
 * The API report: docs/api/ has a file for each public entry with the signatures of its exports, so that a change of the
 * API shows in a diff. `npm run api` writes it. With `--check` a difference is a failure, as is an export or a member
 * without a docstring.
 */

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const TYPES = `${ROOT}.cache/types/`;
/** Name of the report → declarations of the entry. */
const ENTRIES = {
  kleinbild: "runtime/index.d.ts",
  "kleinbild-node": "runtime/node.d.ts",
  "kleinbild-service-worker": "runtime/task/serve/service-worker.d.ts",
  "kleinbild-bench": "bench/index.d.ts",
  "kleinbild-studio": "demo/studio-types.d.ts",
};
/** Entries whose types may refer to types that `kleinbild` exports. */
const BESIDE_MAIN = new Set(["kleinbild-bench", "kleinbild-studio"]);

const check = process.argv.includes("--check");
emitDeclarations();
const names = Object.keys(ENTRIES);
const configs = Object.entries(ENTRIES).map(([name, file]) => configure(name, file));
const [first, ...others] = configs;
if (!first) throw new Error("There are no entries.");
const compilerState = CompilerState.create(first, {
  additionalEntryPoints: others.map(({ mainEntryPointFilePath }) => mainEntryPointFilePath),
});
const succeeded = configs.map((config, i) => report(config, names[i] ?? ""));
process.exit(succeeded.every(Boolean) ? 0 : 1);

/** Writes the declarations that the report is made from. */
function emitDeclarations() {
  rmSync(TYPES, { recursive: true, force: true });
  const compiler = [`${ROOT}node_modules/typescript7/bin/tsc`, "-p", `${ROOT}tsconfig.build.json`, "--outDir", TYPES];
  if (spawnSync(process.execPath, compiler, { stdio: "inherit" }).status !== 0) process.exit(1);
}

/**
 * @param {string} name
 * @param {string} file
 */
function configure(name, file) {
  const folders = { reportFolder: `${ROOT}docs/api/`, reportTempFolder: `${ROOT}.cache/api/` };
  for (const folder of Object.values(folders)) mkdirSync(folder, { recursive: true });
  const error = { logLevel: ExtractorLogLevel.Error };
  const none = { logLevel: ExtractorLogLevel.None };
  return ExtractorConfig.prepare({
    configObject: {
      projectFolder: ROOT,
      mainEntryPointFilePath: `${TYPES}${file}`,
      compiler: { tsconfigFilePath: `${ROOT}tsconfig.json`, skipLibCheck: true },
      apiReport: { enabled: true, reportFileName: `${name}.api.md`, ...folders },
      newlineKind: "lf",
      messages: {
        compilerMessageReporting: { default: error },
        extractorMessageReporting: { default: error, "ae-missing-release-tag": none },
        tsdocMessageReporting: { default: none }, // TypeDoc checks the comments
      },
    },
    configObjectFullPath: undefined,
    packageJsonFullPath: `${ROOT}package.json`,
  });
}

/**
 * @param {ExtractorConfig} config
 * @param {string} name
 * @returns {boolean} whether there was nothing to complain about
 */
function report(config, name) {
  const { succeeded } = Extractor.invoke(config, {
    localBuild: !check,
    compilerState,
    messageCallback: (message) => {
      const isExportedByMain = message.messageId === "ae-forgotten-export" && BESIDE_MAIN.has(name);
      const differs = message.messageId === "console-api-report-not-copied";
      if (differs) console.error(`The API differs from docs/api/${name}.api.md: run "npm run api" and read the diff.`);
      if (isExportedByMain || differs || message.messageId === "console-preamble")
        message.logLevel = ExtractorLogLevel.None;
    },
  });
  return succeeded;
}
