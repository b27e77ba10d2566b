import { beforeAll, describe, expect, it } from "vitest";
import { bundleProgram } from "../../tools/bundling/bundle-program.mjs";
import type { GoldenOutcome } from "../../tools/golden/run.ts";
import type { DenoGoldens } from "../deno/goldens.ts";
import { runDeno } from "../support/deno.ts";
import { GOLDEN_FOLDER, NETWORK_CASES } from "../support/golden-cases.ts";

/** Cases that run the network without pictures. Deno has no image codec, and other cases do not depend on the platform. */
const CASES = NETWORK_CASES.filter((name) => !name.startsWith("pipeline-"));

describe.each(["f32", "f16"] as const)("goldens in Deno, without onnxruntime, in %s", (dtype) => {
  let outcomes: Readonly<Record<string, GoldenOutcome>> = {};
  beforeAll(async () => {
    const script = await bundleProgram("deno-goldens", "test/deno/goldens.ts");
    const asked: DenoGoldens = { folder: GOLDEN_FOLDER, dtype, cases: CASES };
    const flags = ["--allow-all", "--node-modules-dir=manual"];
    outcomes = JSON.parse(await runDeno(script, { flags, args: [JSON.stringify(asked)] })) as typeof outcomes;
  });

  it.each(CASES)("%s", (name) => expect(outcomes[name]?.passed, outcomes[name]?.line).toBe(true));
});
