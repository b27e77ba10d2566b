import { launch } from "./launch.mjs";

// node tools/run.mjs <folder in tools/> [argument …]
const [name, ...args] = process.argv.slice(2);
if (name === undefined) throw new Error("The name of a program is missing: a folder in tools/ with a main.ts.");
await launch(name, args);
