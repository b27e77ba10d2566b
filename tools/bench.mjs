import { launch } from "./launch.mjs";

await launch("bench", "tools/bench/main.ts", process.argv.slice(2));
