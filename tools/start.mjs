import { fileURLToPath } from "node:url";
import { launch, runNode } from "./launch.mjs";
import { setUp } from "./setup.mjs";

/** `npm start` serves the page. With other arguments it runs the subcommand of tools/cli that they belong to. */

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const HELP = `npm start                          serves the demo page: --port, --host, --open
npm start -- --prompt <text> …     kleinbild generate: makes or edits a picture
npm start -- --task <file> …       kleinbild tasks: runs tasks of the API from a file
npm start -- --serve …             kleinbild serve: answers the API over HTTP and WebSocket
`;
/** What the page is built from. */
const SITE_SOURCES = ["demo", "runtime", "kernels", "bench", "models", "tools", "site.config.ts", "package-lock.json"];

const args = process.argv.slice(2);

/** @param {string} option */
const has = (option) => args.some((arg) => arg === option || arg.startsWith(`${option}=`));

if (args.length === 0 || /^--(port|host|open)\b/.test(args[0] ?? "")) await servePage();
else if (has("--serve")) {
  const rest = args.filter((arg) => arg !== "--serve");
  await launch("cli", ["serve", ...rest]);
} else if (has("--task") && !has("--prompt")) await launch("cli", ["tasks", ...args]);
else if (has("--help") || has("-h")) {
  process.stdout.write(`${HELP}\n`);
  await launch("cli", ["generate", "--help"]);
} else if (has("--task") === has("--prompt")) fail("one of --prompt <text> and --task <file> is needed");
else if (has("--lora")) fail("--lora is for --task");
else await launch("cli", ["generate", ...args]);

/** Builds the page if its sources changed, and serves it. */
async function servePage() {
  setUp();
  const { isFresh } = await import("./bundling/fresh.mjs");
  if (!isFresh("site/licenses.txt", SITE_SOURCES)) {
    const { build } = await import("vite");
    await build({ configFile: `${ROOT}site.config.ts`, logLevel: "warn" });
  }
  await runNode([`${ROOT}node_modules/vite/bin/vite.js`, "preview", "--config", `${ROOT}site.config.ts`, ...args]);
}

/** @param {string} message */
function fail(message) {
  process.stderr.write(`error: ${message}\n`);
  process.exit(1);
}
