import { fileURLToPath } from "node:url";
import { runNode } from "./launch.mjs";
import { setUp } from "./setup.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

// serves the studio with Vite's dev server, without service worker and content policy
setUp();
const vite = [`${ROOT}node_modules/vite/bin/vite.js`, `${ROOT}demo`, "--config", `${ROOT}vite.config.ts`];
await runNode([...vite, ...process.argv.slice(2)]);
