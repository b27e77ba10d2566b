import { describe, expect, it } from "vitest";
import { rowsPerChunk } from "../../../runtime/loaded-model/rows-per-chunk.ts";
import type {
  ModelConfig,
  TextEncoderConfig,
  TransformerConfig,
} from "../../../runtime/weights/config/model-config.ts";
import { SMALL_CONFIG } from "../../support/model-config.ts";

const MIB = 2 ** 20;

function config(transformer: Partial<TransformerConfig>, text: Partial<TextEncoderConfig> = {}): ModelConfig {
  return {
    ...SMALL_CONFIG,
    textLayers: [0],
    transformer: { ...SMALL_CONFIG.transformer, hidden: 1, textWidth: 1, mlpHidden: 1, inChannels: 1, ...transformer },
    text: { ...SMALL_CONFIG.text, hidden: 1, intermediate: 1, heads: 1, headDim: 1, ...text },
  };
}

/** Bytes of the widest row, found by the binding that just holds one. */
function widestRow(model: ModelConfig, scalar: "f32" | "f16"): number {
  for (let bytes = 1; ; bytes++) {
    try {
      if (rowsPerChunk(model, scalar, bytes) === 1) return bytes;
    } catch {
      continue; // not one row fits yet
    }
  }
}

describe("rowsPerChunk", () => {
  it("is as many of the widest rows as one binding holds", () => {
    const model = config({ hidden: 100 });
    for (const [binding, rows] of [
      [400, 1],
      [799, 1],
      [800, 2],
      [MIB, 2621],
    ] as const)
      expect(rowsPerChunk(model, "f32", binding)).toBe(rows);
  });

  it("refuses an adapter that binds not even one row, with both numbers", () =>
    expect(() => rowsPerChunk(config({ hidden: 100 }), "f32", 399)).toThrowError(
      expect.objectContaining({
        code: "unsupported",
        message: "One row of this model's activations takes 400 bytes; this adapter binds at most 399.",
        details: { bytes: 400, limit: 399 },
      }),
    ));

  for (const [what, model, f32, f16] of [
    ["the residual stream, always f32", config({ hidden: 50 }), 200, 200],
    ["text states, always f32", config({ textWidth: 50 }), 200, 200],
    ["latents, always f32", config({ inChannels: 50 }), 200, 200],
    ["the transformer's feed-forward", config({ mlpHidden: 50 }), 200, 100],
    ["the text encoder's feed-forward", config({}, { intermediate: 50 }), 200, 100],
    ["the text encoder's queries", config({}, { heads: 5, headDim: 10 }), 200, 100],
    ["the text encoder's residual stream, always f32", config({}, { hidden: 50 }), 200, 200],
  ] as const)
    it(`counts ${what}`, () => {
      expect(widestRow(model, "f32")).toBe(f32);
      expect(widestRow(model, "f16")).toBe(f16);
    });

  it("counts the stacked text states, all of them", () =>
    expect(widestRow({ ...config({}, { hidden: 50 }), textLayers: [1, 2, 3] }, "f16")).toBe(600));

  it("gives the real models hundreds of rows with WebGPU's least binding of 128 MiB", () => {
    const real = (width: number, textWidth: number): ModelConfig =>
      config({ hidden: width, mlpHidden: 3 * width, textWidth, inChannels: 128 }, { hidden: textWidth / 3 });
    expect(rowsPerChunk(real(3072, 7680), "f16", 128 * MIB)).toBe(4369); // text states of 7680 f32
    expect(rowsPerChunk(real(4096, 12_288), "f32", 128 * MIB)).toBe(2730);
  });
});
