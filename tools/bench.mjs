import { launch } from "./launch.mjs";

await launch("bench", "bench/node/main.ts", process.argv.slice(2));
