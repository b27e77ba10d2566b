import { describe, expect, it } from "vitest";
import { configJson } from "../../runtime/weights/config/config-json.ts";
import type { ModelConfig } from "../../runtime/weights/config/model-config.ts";
import { FolderSource } from "../../runtime/node/folder-source.ts";
import { SMALL_CONFIG } from "../support/model-config.ts";
import { MemorySource } from "../support/model-files.ts";
import { modelFolder } from "../support/nano.ts";
import { readModelConfig } from "../support/part-folder.ts";

const read = (config: ModelConfig): Promise<ModelConfig> =>
  readModelConfig(
    new MemorySource(Object.fromEntries(Object.entries(configJson(config)).map(([k, v]) => [k, JSON.stringify(v)]))),
  );

describe("configJson", () => {
  it.each(["klein-nano", "klein-nano-base"] as const)("of %s reads as its config", async (name) => {
    const config = await readModelConfig(new FolderSource(modelFolder(name)));
    expect(await read(config)).toEqual(config);
  });

  it("keeps values that differ from all defaults", async () => {
    const config: ModelConfig = {
      ...SMALL_CONFIG,
      license: "Apache-2.0",
      distilled: true,
      referenceAttention: "isolated",
      defaultGuidance: null,
      teaCacheCoefficients: [1, -2.5],
      // a ratio that is not a binary fraction
      transformer: { ...SMALL_CONFIG.transformer, hidden: 96, heads: 3, mlpHidden: 320, ropeTheta: 500 },
      vae: { ...SMALL_CONFIG.vae, decoderChannels: [4, 8, 12, 16], midAttention: false, quantConv: false },
      text: { ...SMALL_CONFIG.text, ropeTheta: 5000, eps: 1e-5 },
    };
    expect(await read(config)).toEqual(config);
  });
});
