import type { Recorder } from "../../gpu/recorder.ts";

/** Results of a workgroup. */
export interface Tile {
  readonly rows: number;
  readonly outs: number;
}

/** Part of a product's results that one dispatch makes. */
export interface TileRange {
  readonly firstRow: number;
  readonly firstOut: number;
  /** Workgroups along the rows and along the outputs. */
  readonly grid: readonly [number, number];
  /** Multiply-adds. */
  readonly work: number;
}

const TILE_OUTS = 64;
const TILE_ROWS = [8, 16, 32, 64] as const;

/** The smallest tile that takes all rows; 64 of them where there are more. */
export function tileFor(rows: number): Tile {
  return { rows: TILE_ROWS.find((height) => height >= rows) ?? TILE_ROWS.at(-1)!, outs: TILE_OUTS };
}

/**
 * Cuts a product of [rows, columns] and [outs, columns] so that no dispatch lasts too long by the measured rate. Tiles of the
 * same outputs go together, so that what they read of the weights is read once.
 */
export function* tileRanges(
  { meter }: Pick<Recorder, "meter">,
  { rows, outs, columns }: { readonly rows: number; readonly outs: number; readonly columns: number },
  tile: Tile,
): Generator<TileRange> {
  const rowTiles = Math.ceil(rows / tile.rows);
  const outTiles = Math.ceil(outs / tile.outs);
  const tileWork = tile.rows * tile.outs * columns;
  const most = Math.max(1, Math.floor(meter.workPerDispatch / tileWork));
  const rowStep = Math.min(rowTiles, most);
  const outStep = Math.min(outTiles, Math.max(1, Math.floor(most / rowTiles)));
  for (let out = 0; out < outTiles; out += outStep)
    for (let row = 0; row < rowTiles; row += rowStep) {
      const grid = [Math.min(rowStep, rowTiles - row), Math.min(outStep, outTiles - out)] as const;
      yield { firstRow: row * tile.rows, firstOut: out * tile.outs, grid, work: grid[0] * grid[1] * tileWork };
    }
}
