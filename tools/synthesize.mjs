import { launch } from "./launch.mjs";

await launch("synthesize", "tools/synthesize/main.ts", process.argv.slice(2));
