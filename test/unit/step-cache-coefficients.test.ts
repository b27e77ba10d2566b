import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import type { ModelConfig } from "../../runtime/weights/config/model-config.ts";
import { MemorySource } from "../support/model-files.ts";
import { modelFolder } from "../support/nano.ts";
import { readModelConfig } from "../support/part-folder.ts";

const CONFIGS = ["model_index.json", "transformer/config.json", "vae/config.json", "text_encoder/config.json"];

/** klein-nano-base with additional fields in its kleinbild.json. */
async function configWith(fields: object): Promise<ModelConfig> {
  const files: Record<string, string> = {
    "kleinbild.json": JSON.stringify({ textLength: 48, textLayers: [1, 2, 3], ...fields }),
  };
  for (const path of CONFIGS) files[path] = await readFile(`${modelFolder("klein-nano-base")}/${path}`, "utf8");
  return readModelConfig(new MemorySource(files));
}

describe("teaCacheCoefficients of kleinbild.json", () => {
  it("are read in their order, and absent where there are none", async () => {
    expect((await configWith({ teaCacheCoefficients: [2, -1, 0.5] })).teaCacheCoefficients).toEqual([2, -1, 0.5]);
    expect((await configWith({ teaCacheCoefficients: [0] })).teaCacheCoefficients).toEqual([0]);
    expect((await configWith({})).teaCacheCoefficients).toBeUndefined();
  });

  it.each([[[]], [["1"]], [[null]], [0.5]])("are refused as %j", async (teaCacheCoefficients) => {
    await expect(configWith({ teaCacheCoefficients })).rejects.toMatchObject({
      code: "invalid-model",
      message: expect.stringMatching(/kleinbild\.json: teaCacheCoefficients/),
    });
  });
});
