import { launch } from "./launch.mjs";

await launch("bench", "bench/main.ts", process.argv.slice(2));
