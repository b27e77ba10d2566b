import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dawnGpu } from "../../runtime/gpu/dawn.ts";
import { NodeImageCodec } from "../../runtime/image/codec-node.ts";
import { openGoldenFolder } from "../../tools/golden/node-files.ts";
import { GoldenRunner } from "../../tools/golden/run.ts";
import { BUILT_CASES, GOLDEN_FOLDER } from "../support/golden-cases.ts";

/**
 * Every golden in f32; of those that run the network a few more in f16 and with bindings of 1 MiB, all of them in the full
 * run.
 */
const FULL = process.env["KLEINBILD_FULL"] === "1";
const SUBSET = ["transformer-kv-4x6", "transformer-kv-kv", "transformer-plain-references", "text-kv-0", "vae-kv-64x96", "pipeline-kv-1ref"];
const ONE_MIB = 2 ** 20;

const files = await openGoldenFolder(GOLDEN_FOLDER);
const profiles = [
  { name: "f32", dtype: "f32", engine: {}, cases: BUILT_CASES },
  { name: "f16", dtype: "f16", engine: {}, cases: FULL ? BUILT_CASES : [...SUBSET, "pipeline-nano-fox"] },
  { name: "f32, bindings of 1 MiB", dtype: "f32", engine: { maxBindingBytes: ONE_MIB }, cases: FULL ? BUILT_CASES : SUBSET },
] as const;

describe.each(profiles)("goldens on Dawn in $name", ({ dtype, engine, cases }) => {
  let runner: GoldenRunner;
  beforeAll(async () => {
    runner = new GoldenRunner(files, { gpu: await dawnGpu(), codec: new NodeImageCodec() }, dtype, engine);
  });
  afterAll(() => runner.dispose());

  for (const name of cases)
    it(name, async () => {
      const outcome = await runner.run(name);
      expect(outcome.passed, outcome.line).toBe(true);
    });
});
