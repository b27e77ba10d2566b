import { describe, expect, it } from "vitest";
import { seededWeights } from "../../../bench/blocks/seeded-weights.ts";
import { inventory } from "../../../runtime/weights/inventory.ts";
import { quantizationError } from "../../../runtime/weights/quantize.ts";
import { KLEIN_4B } from "../../../bench/klein-configs.ts";

const PARTS = ["textEncoder", "transformer", "vae"] as const;
const MATRIX = "transformer_blocks.0.attn.to_q.weight";
const WIDTH = KLEIN_4B.transformer.hidden;
/** More rows than are drawn once. */
const ROWS = 100;

describe("seeded weights", () => {
  const store = seededWeights(KLEIN_4B, "transformer");

  it.each(PARTS)("have every tensor of the %s in its shape", (part) => {
    const weights = seededWeights(KLEIN_4B, part);
    for (const { name, shape } of inventory(KLEIN_4B, part))
      expect(() => weights.expectShape(name, shape)).not.toThrow();
  });

  it("have block matrices in 4 bits and nothing else", () => {
    for (const { name, role } of inventory(KLEIN_4B, "transformer"))
      expect(store.packedFormat(name), name).toBe(role === "block" ? "q4" : undefined);
  });

  it("are the same codes and scales in pieces as at once", async () => {
    const whole = await store.readPacked(MATRIX, 0, ROWS);
    const [head, tail] = [await store.readPacked(MATRIX, 0, 77), await store.readPacked(MATRIX, 77, ROWS - 77)];
    expect(Buffer.concat([head.packed, tail.packed]).equals(whole.packed)).toBe(true);
    expect(Float32Array.from([...head.scales, ...tail.scales])).toEqual(whole.scales);
  });

  it("are the same in 4 bits and in f32, except for rounding", async () => {
    const values = await store.readRows(MATRIX, 3, ROWS);
    const { error, norm } = quantizationError(values, await store.readPacked(MATRIX, 3, ROWS), 4);
    expect(Math.sqrt(error / norm)).toBeLessThan(0.15);
  });

  it("preserve the variance of the input of a matrix", async () => {
    const values = await store.readRows(MATRIX, 0, ROWS);
    const meanSquare = values.reduce((sum, value) => sum + value * value, 0) / values.length;
    expect(meanSquare * WIDTH).toBeCloseTo(1, 1);
  });

  it("differ from tensor to tensor, and not from store to store", async () => {
    const other = await store.readPacked("transformer_blocks.0.attn.to_k.weight", 0, 1);
    const first = await store.readPacked(MATRIX, 0, 1);
    expect(other.packed).not.toEqual(first.packed);
    expect(await seededWeights(KLEIN_4B, "transformer").readPacked(MATRIX, 0, 1)).toEqual(first);
  });
});
