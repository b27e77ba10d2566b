import { launch } from "./launch.mjs";

await launch("golden", "tools/golden/main.ts", process.argv.slice(2));
