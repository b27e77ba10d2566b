import { launch } from "./launch.mjs";

await launch("json-schema", "tools/json-schema/main.ts", process.argv.slice(2));
