import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BACKENDS } from "../../runtime/backend/backend.ts";
import { dawnGpu } from "../../runtime/node/dawn.ts";
import { GPU_FEATURES } from "../../runtime/gpu/device.ts";
import { NodeImageCodec } from "../../runtime/node/sharp-image-codec.ts";
import { openGoldenFolder } from "../../tools/golden/node-files.ts";
import { GoldenRunner } from "../../tools/golden/run.ts";
import { GOLDEN_FOLDER, NETWORK_CASES, PLAIN_CASES } from "../support/golden-cases.ts";

/**
 * Cases that run the network: in f32 on each backend, without the long ones; some on our kernels in f16, with bindings of 1 MiB
 * and on a device of the least that WebGPU gives. In the full run all of them on each backend.
 */
const FULL = process.env["KLEINBILD_FULL"] === "1";
/** Pictures of klein-nano's own size: seconds each. */
const LONG = /^pipeline-nano-(?!fox)/;
const SUBSET = ["transformer-kv-4x6", "transformer-kv-kv", "transformer-plain-references", "text-kv-0", "vae-kv-64x96", "pipeline-kv-1ref"];
const ONE_MIB = 2 ** 20;
const LEAST = { withoutFeatures: GPU_FEATURES, maxWorkgroupBytes: 2 ** 14, maxInvocations: 256 } as const;

const files = await openGoldenFolder(GOLDEN_FOLDER);
const most = FULL ? NETWORK_CASES : NETWORK_CASES.filter((name) => !LONG.test(name));
const some = FULL ? NETWORK_CASES : SUBSET;
const f32 = BACKENDS.map((backend) => ({ name: `${backend} in f32`, dtype: "f32" as const, engine: { backend }, cases: most }));
const others = (FULL ? BACKENDS : (["wgsl"] as const)).flatMap((backend) => [
  { name: `${backend} in f16`, dtype: "f16" as const, engine: { backend }, cases: FULL ? NETWORK_CASES : [...SUBSET, "pipeline-nano-fox"] },
  { name: `${backend} in f32, bindings of 1 MiB`, dtype: "f32" as const, engine: { backend, maxBindingBytes: ONE_MIB }, cases: some },
  { name: `${backend} in f32, without features`, dtype: "f32" as const, engine: { backend, ...LEAST }, cases: some },
  ...(FULL ? LEAST.withoutFeatures.map((feature) => ({ name: `${backend} in f32, without ${feature}`, dtype: "f32" as const, engine: { backend, withoutFeatures: [feature] }, cases: SUBSET })) : []),
]);
const plain = { name: "without a backend", dtype: "f32" as const, engine: {}, cases: PLAIN_CASES };

describe.each([plain, ...f32, ...others])("goldens on Dawn, $name", ({ dtype, engine, cases }) => {
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
