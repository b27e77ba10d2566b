import { describe, expect, it } from "vitest";
import { sharedTilesFor, tileOf, tilesFor } from "../../../runtime/backend/wgsl/tiles.ts";

const limits = (bytes: number, invocations = 256): GPUSupportedLimits =>
  ({
    maxComputeWorkgroupStorageSize: bytes,
    maxComputeInvocationsPerWorkgroup: invocations,
    maxComputeWorkgroupSizeX: invocations,
  }) as GPUSupportedLimits;
const ALL = ["64x64", "128x64", "64x128", "128x128"];

describe("tiles to choose from", () => {
  it("are those whose steps of x and weights fit into the workgroup memory", () => {
    expect(sharedTilesFor(limits(16_384), "f32")).toEqual(["64x64"]);
    expect(sharedTilesFor(limits(24_575), "f32")).toEqual(["64x64"]);
    expect(sharedTilesFor(limits(24_576), "f32")).toEqual(["64x64", "128x64", "64x128"]);
    expect(sharedTilesFor(limits(32_768), "f32")).toEqual(ALL);
    expect(sharedTilesFor(limits(16_383), "f16")).toEqual(["64x64", "128x64", "64x128"]);
    expect(sharedTilesFor(limits(16_384), "f16")).toEqual(ALL);
  });

  it("have no more lanes than the device allows", () => {
    expect(sharedTilesFor(limits(65_536, 255), "f16")).toEqual(["64x64", "128x64", "64x128"]);
    expect(sharedTilesFor(limits(65_536, 127), "f16")).toEqual(["64x64"]);
  });

  it("share nothing on an adapter that runs on the CPU", () => {
    expect(tilesFor({ software: true }, limits(65_536), "f16")).toEqual(["direct"]);
    expect(tilesFor({ software: false }, limits(65_536), "f16")).toEqual(ALL);
  });
});

describe("the tile of a product", () => {
  it("is no larger than its name says, and no larger than the product needs", () => {
    expect(tileOf("128x64", 1000, 1000)).toEqual({ rows: 128, outs: 64 });
    expect(tileOf("128x64", 128, 64)).toEqual({ rows: 128, outs: 64 });
    expect(tileOf("128x64", 64, 8)).toEqual({ rows: 64, outs: 8 });
    expect(tileOf("128x64", 65, 9)).toEqual({ rows: 128, outs: 16 });
    expect(tileOf("64x128", 65, 65)).toEqual({ rows: 64, outs: 128 });
  });

  it("is one vector of lanes where nothing is shared", () => {
    for (const [outs, side] of [
      [3, 8],
      [33, 64],
      [1000, 64],
    ] as const)
      expect(tileOf("direct", 1000, outs)).toEqual({ rows: 512 / side, outs: side });
  });
});
