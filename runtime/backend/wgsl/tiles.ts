import type { AdapterSummary } from "../../gpu/adapter.ts";
import { BYTES_PER_ELEMENT, type ScalarType } from "../../gpu/tensor.ts";
import { directTile, sharedTile, type Tile } from "./matmul-grid.ts";

/** Tiles that pass through workgroup memory, by their largest size: rows x outputs. */
const SHARED = {
  "64x64": { rows: 64, outs: 64 },
  "128x64": { rows: 128, outs: 64 },
  "64x128": { rows: 64, outs: 128 },
  "128x128": { rows: 128, outs: 128 },
} as const satisfies Record<string, Tile>;

/** Variants of the tile loop: the largest tile, or `direct`, in which each lane reads for itself. */
export type TileName = "direct" | "64x64" | "128x64" | "64x128" | "128x128";
export const TILE_NAMES: readonly TileName[] = ["direct", "64x64", "128x64", "64x128", "128x128"];

/** A step of the tile loop is 32 columns wide, and a lane computes 8 x 8 results. */
const STEP_COLUMNS = 32;
const LANE_RESULTS = 64;

/** Limits of a workgroup on a device. */
type WorkgroupLimits = Pick<
  GPUSupportedLimits,
  "maxComputeWorkgroupStorageSize" | "maxComputeInvocationsPerWorkgroup" | "maxComputeWorkgroupSizeX"
>;

/** The tiles that are candidates on an adapter. On the CPU, workgroup memory is slower than the caches. */
export function tilesFor(
  { software }: Pick<AdapterSummary, "software">,
  limits: WorkgroupLimits,
  scalar: ScalarType,
): readonly TileName[] {
  return software ? ["direct"] : sharedTilesFor(limits, scalar);
}

/** The shared tiles that fit into the workgroup memory and invocations of a device. */
export function sharedTilesFor(limits: WorkgroupLimits, scalar: ScalarType): readonly TileName[] {
  const invocations = Math.min(limits.maxComputeInvocationsPerWorkgroup, limits.maxComputeWorkgroupSizeX);
  return (Object.keys(SHARED) as (keyof typeof SHARED)[]).filter((name) => {
    const { rows, outs } = SHARED[name];
    const bytes = STEP_COLUMNS * (rows + outs) * BYTES_PER_ELEMENT[scalar];
    return bytes <= limits.maxComputeWorkgroupStorageSize && (rows * outs) / LANE_RESULTS <= invocations;
  });
}

/** The tile without autotuning: every device supports it. */
export function defaultTile({ software }: Pick<AdapterSummary, "software">): TileName {
  return software ? "direct" : "64x64";
}

/** The tile of one product: smaller than the largest if it has fewer rows or outputs. */
export function tileOf(name: TileName, rows: number, outs: number): Tile {
  return name === "direct" ? directTile(outs) : sharedTile(rows, outs, SHARED[name]);
}
