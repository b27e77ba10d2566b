import { fileURLToPath } from "node:url";
import { launch, runNode } from "./launch.mjs";
import { setUp } from "./setup.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const args = process.argv.slice(2);

// without arguments, or with those of the page's server: the page, built; else pictures, or the API
if (args.length === 0 || /^--(port|host|open)\b/.test(args[0] ?? "")) {
  setUp();
  const { isSiteFresh } = await import("./site/fresh.mjs");
  if (!isSiteFresh()) {
    const { build } = await import("vite");
    await build({ configFile: `${ROOT}site.config.ts`, logLevel: "warn" });
  }
  await runNode([`${ROOT}node_modules/vite/bin/vite.js`, "preview", "--config", `${ROOT}site.config.ts`, ...args]);
} else await launch("cli", "tools/cli/main.ts", args, { ownProcess: args.includes("--serve") });
