import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { setUp } from "./setup.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

// modules and declarations of the package, in dist/
setUp();
const { buildPackage } = await import("./build.mjs");
await buildPackage();
const compiler = [`${ROOT}node_modules/typescript7/bin/tsc`, "-p", `${ROOT}tsconfig.build.json`];
execFileSync(process.execPath, compiler, { stdio: "inherit" });
