import { fileURLToPath } from "node:url";
import { launch, runNode } from "./launch.mjs";
import { setUp } from "./setup.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const args = process.argv.slice(2);

// without arguments, or with those of the page's server: the demo page; else pictures, or the API
if (args.length === 0 || /^--(port|host|open)\b/.test(args[0] ?? "")) {
  setUp();
  await runNode([`${ROOT}node_modules/vite/bin/vite.js`, `${ROOT}demo`, "--config", `${ROOT}vite.config.ts`, ...args]);
} else await launch("cli", "tools/cli/main.ts", args, { ownProcess: args.includes("--serve") });
