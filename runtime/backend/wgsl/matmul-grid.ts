import type { Recorder } from "../../gpu/recorder.ts";

/** Results of a workgroup. */
export interface Tile {
  readonly rows: number;
  readonly outs: number;
}

/** Results of a product that one dispatch computes. */
export interface TileRange {
  readonly firstRow: number;
  readonly firstOut: number;
  /** Workgroups along the rows and along the outputs. */
  readonly grid: readonly [number, number];
  /** Multiply-adds. */
  readonly work: number;
}

const SIDES = [8, 16, 32, 64, 128] as const;
/** Results of the lanes of a CPU's vector, 8 x 8 each. */
const VECTOR_RESULTS = 512;
const DIRECT_OUTS = 64;

/** The smallest tile that covers all rows and outputs, up to the largest. */
export function sharedTile(rows: number, outs: number, largest: Tile): Tile {
  return { rows: sideFor(rows, largest.rows), outs: sideFor(outs, largest.outs) };
}

/** A tile of one vector of lanes. Without workgroup memory a larger tile only wastes more at the edges. */
export function directTile(outs: number): Tile {
  const side = sideFor(outs, DIRECT_OUTS);
  return { rows: VECTOR_RESULTS / side, outs: side };
}

function sideFor(count: number, largest: number): number {
  return Math.min(SIDES.find((side) => side >= count) ?? largest, largest);
}

/**
 * Cuts a product of [rows, columns] and [outs, columns] so that no dispatch lasts too long by the measured rate. Tiles of the
 * same outputs go together, so that their weights are read once.
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
