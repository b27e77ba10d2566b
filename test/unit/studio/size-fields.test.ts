import { describe, expect, it } from "vitest";
import { sizePresets, snap } from "../../../demo/make/size-fields.ts";

describe("sizes", () => {
  it("are multiples of 16, the nearest to what was typed, and never none", () => {
    expect([0, 7, 23, 24, 128, 1000].map(snap)).toEqual([16, 16, 16, 32, 128, 1008]);
  });

  it("keep a small model's shorter side, which it was trained for", () => {
    expect(sizePresets(128).map(({ width, height }) => [width, height])).toEqual([
      [128, 128],
      [192, 128],
      [128, 192],
      [224, 128],
      [128, 224],
    ]);
  });

  it("keep about as many pixels as a large model's square", () => {
    for (const { width, height } of sizePresets(1024)) {
      expect([width % 16, height % 16]).toEqual([0, 0]);
      expect(Math.abs((width * height) / 1024 ** 2 - 1)).toBeLessThan(0.03);
    }
  });
});
