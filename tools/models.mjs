import { launch } from "./launch.mjs";

await launch("models", "tools/models/main.ts", process.argv.slice(2));
