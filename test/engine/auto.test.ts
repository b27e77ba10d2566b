import { expect, it } from "vitest";
import { dawnGpu } from "../../runtime/node/dawn.ts";
import { NodeImageCodec } from "../../runtime/node/sharp-image-codec.ts";
import { openGoldenFolder } from "../../tools/golden/node-files.ts";
import { GoldenRunner } from "../../tools/golden/run.ts";
import { storageOf } from "../support/tuning.ts";
import { GOLDEN_FOLDER } from "../support/golden-cases.ts";
import { openNano } from "../support/nano.ts";

it("gives the golden picture with the fastest implementations, says why, and does not autotune again", async () => {
  const entries = new Map<string, string>();
  const platform = { gpu: await dawnGpu(), codec: new NodeImageCodec(), tuningCache: storageOf(entries) };
  const runner = new GoldenRunner(await openGoldenFolder(GOLDEN_FOLDER), platform, "f32", { backend: "auto" });
  const { line, passed } = await runner.run("pipeline-nano-edit");
  await runner.dispose();
  expect(passed, line).toBe(true);
  const kept = new Map(entries);
  expect(kept.size).toBe(2);
  const engine = await openNano({ backend: "auto", tuningCache: storageOf(entries) });
  const { dense } = engine.info;
  await engine.dispose();
  expect(Object.keys(dense)).toEqual(["plain", "convolution"]);
  for (const { remembered, candidates } of Object.values(dense)) {
    expect(remembered).toBe(true);
    for (const { milliseconds } of candidates) expect(milliseconds).toBeGreaterThan(0);
  }
  expect(entries).toEqual(kept);
});
