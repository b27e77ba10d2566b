import { gatherBand } from "../../kernels/index.ts";
import { KleinbildError } from "../errors.ts";
import type { MemoryScope } from "../gpu/memory.ts";
import type { Recorder } from "../gpu/recorder.ts";
import { elementGrid } from "../gpu/workgroups.ts";
import { BYTES_PER_ELEMENT, type RowRange, rowRanges, type ScalarType, type Tensor } from "../gpu/tensor.ts";

/**
 * Features [height, width, channels], channels last, cut into bands of whole rows so that no band is above the binding
 * limit. Maps of one width are cut alike. The number of channels is a multiple of four, except in a decoded picture, which has three.
 */
export interface FeatureMap {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly rowsPerBand: number;
  /** [1, rows, width, channels] each */
  readonly bands: readonly Tensor[];
}

/** Rows that a 3×3 convolution reads beyond its band. */
const HALO_ROWS = 2;

/**
 * Rows of a band, an even number (patches are 2×2): with its halo it stays below the limit.
 *
 * @param channels  most channels of any map of this width; the input of a strided convolution counts four times
 * @throws KleinbildError `unsupported` when not even two rows fit
 */
export function rowsPerBand(maxBindingBytes: number, scalar: ScalarType, width: number, channels: number): number {
  const rowBytes = width * channels * BYTES_PER_ELEMENT[scalar];
  const rows = Math.floor((maxBindingBytes / rowBytes - HALO_ROWS) / 2) * 2;
  if (rows < 2)
    throw new KleinbildError(
      "unsupported",
      `A picture ${width} features wide with ${channels} channels needs bindings of ${(2 + HALO_ROWS) * rowBytes} bytes; the adapter allows ${maxBindingBytes}. Ask for a narrower picture.`,
      { width, bytes: (2 + HALO_ROWS) * rowBytes, limit: maxBindingBytes },
    );
  return rows;
}

export function allocateMap(
  scope: MemoryScope,
  scalar: ScalarType,
  size: Pick<FeatureMap, "height" | "width" | "channels" | "rowsPerBand">,
): FeatureMap {
  const bands = rowRanges(size.height, size.rowsPerBand).map(({ count }) =>
    scope.tensor("features", scalar, [1, count, size.width, size.channels]),
  );
  return { ...size, bands };
}

export interface GatherOptions {
  /** [2, channels] f32: x · affine[0] + affine[1] on the way. */
  readonly affine?: Tensor | undefined;
  /** SiLU on the way. */
  readonly activate?: boolean;
  /** Nearest upsampling by two on the way. */
  readonly upsample?: boolean;
}

/**
 * Rows of a map as one tensor [1, rows, width, channels]. Rows outside the map are zeros.
 *
 * @param scalar  of the map and the result
 * @param range   after upsampling, if there is any; it may start before the map and end behind it
 */
export function gatherRows(
  {
    recorder,
    scope,
    scalar,
  }: { readonly recorder: Recorder; readonly scope: MemoryScope; readonly scalar: ScalarType },
  map: FeatureMap,
  { first, count: rows }: RowRange,
  options: GatherOptions,
): Tensor {
  const shift = options.upsample ? 1 : 0;
  const width = map.width << shift;
  const quads = map.channels / 4;
  const target = scope.tensor("gathered features", scalar, [1, rows, width, map.channels]);
  const end = Math.min(map.height << shift, first + rows);
  if (first < 0 || end < first + rows) recorder.clear(target);
  for (const [i, band] of rowRanges(map.height, map.rowsPerBand).entries()) {
    const from = Math.max(0, first, band.first << shift);
    const to = Math.min(end, (band.first + band.count) << shift);
    if (from >= to) continue;
    const source = map.bands[i]!;
    recorder.dispatch(gatherBand, {
      bindings: { x: source, affine: options.affine ?? source, out: target },
      parameters: {
        width: map.width,
        quads,
        source_first: band.first,
        out_first: first,
        row_begin: from - first,
        row_count: to - from,
      },
      overrides: { NORMALIZE: options.affine ? 1 : 0, ACTIVATE: options.activate ? 1 : 0, UPSAMPLE: shift },
      scalar,
      grid: elementGrid(gatherBand, (to - from) * width * quads),
    });
  }
  return target;
}

export function releaseMap(scope: MemoryScope, map: FeatureMap): void {
  scope.release(...map.bands);
}
