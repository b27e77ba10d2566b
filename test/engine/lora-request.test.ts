import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Engine } from "../../runtime/engine/engine.ts";
import type { GenerateRequest } from "../../runtime/request/request.ts";
import type { LoraInput } from "../../runtime/request/loras.ts";
import { loraFile } from "../support/lora-files.ts";
import { openNano, randomPicture, runEngine, TINY } from "../support/nano.ts";

const FULL = process.env["KLEINBILD_FULL"] === "1";
/** Three steps of 64 x 64 start at sigma 1, 0.93 and 0.78: two in the high stage, one in the low one. */
const STEPS = 3;

describe("a request with LoRAs", () => {
  let engine: Engine;
  let data: Uint8Array;
  beforeAll(async () => {
    engine = await openNano();
    data = loraFile(engine.config.transformer, "diffusers", { rank: 4, alpha: 4, strength: 0.3 });
  });
  afterAll(() => engine.dispose());

  const run = (loras: readonly LoraInput[], request: Partial<GenerateRequest> = {}) =>
    runEngine(engine, { ...TINY, steps: STEPS, ...request, loras });

  it("acts in the stage of the noise levels that it names", async () => {
    const pictures: Record<string, string> = {};
    for (const stages of FULL ? (["high", "low", "both"] as const) : (["high"] as const)) {
      const { image, report, metadata } = await run([{ data, stages }]);
      expect(report.loras).toEqual(["LoRA 1"]);
      expect(metadata.loras).toEqual([{ name: "LoRA 1", weight: 1, stages }]);
      pictures[stages] = image.data.join();
    }
    const none = await run([]);
    pictures["none"] = none.image.data.join();
    expect(none.metadata).not.toHaveProperty("loras");
    expect(new Set(Object.values(pictures)).size).toBe(FULL ? 4 : 2);
    // one step is at sigma 1
    const [high, low, both, plain] = [
      await run([{ data, stages: "high" }], { steps: 1 }),
      await run([{ data, stages: "low" }], { steps: 1 }),
      await run([{ data, stages: "both" }], { steps: 1 }),
      await run([], { steps: 1 }),
    ];
    expect(high.image.data).toEqual(both.image.data);
    expect(low.image.data).toEqual(plain.image.data);
    expect(high.image.data).not.toEqual(plain.image.data);
  });

  it("has kept keys and values of its own, for each weight; weight 0 shares those without a LoRA", async () => {
    const references = [randomPicture(3)];
    const hit = async (...loras: LoraInput[]): Promise<boolean> =>
      (await run(loras, { steps: 1, references })).report.referenceCache.hit;
    expect(await hit()).toBe(false);
    expect(await hit({ data, weight: 0 })).toBe(true);
    expect(await hit({ data, weight: 0.5 })).toBe(false);
    expect(await hit({ data, weight: 0.5, name: "another name" })).toBe(true);
    expect(await hit({ data, weight: 0.6 })).toBe(false);
    expect(await hit()).toBe(true);
  });

  it("frees its own memory, and leaves the model unchanged", async () => {
    const before = await run([], { steps: 1 });
    const { currentBytes } = engine.info.memory;
    await run([{ data }], { steps: 1 });
    expect(engine.info.memory.currentBytes).toBe(currentBytes);
    expect((await run([], { steps: 1 })).image.data).toEqual(before.image.data);
  });

  it("is refused by name when it is for a model of another width, at weight 0 too", async () => {
    const { transformer } = engine.config;
    const wide = loraFile({ ...transformer, hidden: 2 * transformer.hidden }, "diffusers", { rank: 2 });
    for (const weight of [1, 0])
      await expect(run([{ data: wide, name: "wide.safetensors", weight }])).rejects.toMatchObject({
        code: "invalid-model",
        message: expect.stringMatching(/wide\.safetensors.*another width.*klein-nano/),
      });
  });
});
