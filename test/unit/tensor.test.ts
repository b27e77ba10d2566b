import { describe, expect, it } from "vitest";
import { elementCount, rowRanges, tensorBytes } from "../../runtime/gpu/tensor.ts";

describe("rowRanges", () => {
  it.each([
    [0, 4, []],
    [1, 4, [[0, 1]]],
    [3, 4, [[0, 3]]],
    [4, 4, [[0, 4]]],
    [
      5,
      4,
      [
        [0, 4],
        [4, 1],
      ],
    ],
    [
      8,
      4,
      [
        [0, 4],
        [4, 4],
      ],
    ],
    [
      3,
      1,
      [
        [0, 1],
        [1, 1],
        [2, 1],
      ],
    ],
    [2, Infinity, [[0, 2]]],
  ] as const)("cuts %d rows into chunks of %d", (rows, rowsPerChunk, expected) => {
    expect(rowRanges(rows, rowsPerChunk).map(({ first, count }) => [first, count])).toEqual(expected);
  });
});

describe("the bytes of a tensor", () => {
  it.each([
    ["f32", [3, 5], 60],
    ["u32", [1], 4],
    ["f16", [2], 4],
    ["f16", [3], 8],
    ["u8", [4], 4],
    ["u8", [5], 8],
    ["f32", [], 4],
    ["f32", [0, 8], 4],
    ["f16", [0], 4],
  ] as const)("of %s %j are whole words, one at least", (dtype, shape, bytes) => {
    expect(tensorBytes(dtype, shape)).toBe(bytes);
  });

  it("follow from the product of the shape", () => {
    expect(elementCount([2, 3, 4])).toBe(24);
    expect(elementCount([])).toBe(1);
    expect(elementCount([5, 0])).toBe(0);
  });
});
