import { launch } from "./launch.mjs";

await launch("full-size", "tools/full-size/main.ts", process.argv.slice(2));
