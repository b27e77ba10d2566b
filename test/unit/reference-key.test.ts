import { describe, expect, it } from "vitest";
import type { PixelImage } from "../../runtime/image/pixels.ts";
import { hashReferences } from "../../runtime/pipeline/references.ts";
import { randomValues } from "../support/compare.ts";

const picture = (seed: number): PixelImage => ({
  width: 32,
  height: 48,
  data: Uint8ClampedArray.from(randomValues(32 * 48 * 4, seed), (value) => (value + 1) * 127),
});
const A = picture(1);
const B = picture(2);
const KEY = hashReferences([A, B], "weights 1");

/** A with one byte changed. */
function changed(index: number): PixelImage {
  const data = A.data.slice();
  data[index]! ^= 1;
  return { ...A, data };
}

describe("hashReferences", () => {
  it("is the same for the same pictures and weights at any address", () => {
    expect(KEY).toMatch(/^[0-9a-f]{64}$/);
    expect(hashReferences([{ ...A, data: A.data.slice() }, B], "weights 1")).toBe(KEY);
    const padded = new Uint8ClampedArray(A.data.length + 10);
    padded.set(A.data, 5);
    expect(hashReferences([{ ...A, data: padded.subarray(5, -5) }, B], "weights 1")).toBe(KEY);
  });

  it("changes with one bit of the first, a middle and the last byte", () => {
    const keys = [0, 3001, A.data.length - 1].map((index) => hashReferences([changed(index), B], "weights 1"));
    expect(new Set([KEY, ...keys]).size).toBe(4);
  });

  it("changes with the order, the number and a repetition of pictures", () => {
    const lists = [[A, B], [B, A], [A], [B], [A, A], [A, B, A], [A, B, B], []];
    expect(new Set(lists.map((list) => hashReferences(list, "weights 1"))).size).toBe(lists.length);
  });

  it("changes with the size of a picture of the same bytes", () => {
    const sizes = [
      [32, 48],
      [48, 32],
      [16, 96],
      [96, 16],
    ] as const;
    const keys = sizes.map(([width, height]) => hashReferences([{ ...A, width, height }, B], "weights 1"));
    expect(keys[0]).toBe(KEY);
    expect(new Set(keys).size).toBe(sizes.length);
  });

  it("changes where the bytes of two pictures are cut apart elsewhere", () => {
    const bytes = A.data.subarray(0, 6 * 4);
    const cut = (at: number): PixelImage[] => [
      { width: at, height: 1, data: bytes.slice(0, at * 4) },
      { width: 6 - at, height: 1, data: bytes.slice(at * 4) },
    ];
    const keys = [1, 2, 3, 4, 5].map((at) => hashReferences(cut(at), "weights 1"));
    expect(new Set(keys).size).toBe(5);
  });

  it("changes with the weights, and does not confuse them with a size", () => {
    const names = ["weights 2", "weights 11", "", "weights 1]", 'weights 1",[[32,48],[32,48]]'];
    expect(new Set([KEY, ...names.map((name) => hashReferences([A, B], name))]).size).toBe(names.length + 1);
  });
});
