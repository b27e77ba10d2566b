import { launch } from "./launch.mjs";

await launch("fit-teacache", "tools/fit-teacache/main.ts", process.argv.slice(2));
