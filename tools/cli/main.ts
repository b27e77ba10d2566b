import { runProgram } from "./program.ts";

await runProgram(() => import("../bench/repository.ts"));
