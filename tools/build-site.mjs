import { fileURLToPath } from "node:url";
import { setUp } from "./setup.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

// the page as a static folder, in site/
setUp();
const { build } = await import("vite");
await build({ configFile: `${ROOT}site.config.ts`, logLevel: "warn" });
