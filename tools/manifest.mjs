import { launch } from "./launch.mjs";

await launch("manifest", "tools/manifest/main.ts", process.argv.slice(2));
