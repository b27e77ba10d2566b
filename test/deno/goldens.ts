import process from "node:process";
import type { Platform } from "../../runtime/engine/engine.ts";
import { openGoldenFolder } from "../../tools/golden/node-files.ts";
import { type GoldenOutcome, GoldenRunner } from "../../tools/golden/run.ts";

/** What a test asks of Deno, as its only argument. */
export interface DenoGoldens {
  readonly folder: string;
  readonly dtype: "f32" | "f16";
  readonly cases: readonly string[];
}

/** Cases without pictures, since Deno reads none: on Deno's own GPU, with the backend that is chosen there. */
const { folder, dtype, cases } = JSON.parse(process.argv[2]!) as DenoGoldens;
const noPictures = (): never => {
  throw new Error("Deno has no image codec");
};
const platform: Platform = { gpu: navigator.gpu, codec: { decode: noPictures, encode: noPictures } };
const runner = new GoldenRunner(await openGoldenFolder(folder), platform, dtype);
const outcomes: Record<string, GoldenOutcome> = {};
for (const name of cases) outcomes[name] = await runner.run(name);
process.stdout.write(`${JSON.stringify(outcomes)}\n`);
process.exit(0);
