/** Height and width in tokens (pixels / 16). */
export interface Grid {
  readonly height: number;
  readonly width: number;
}

export const gridTokens = ({ height, width }: Grid): number => height * width;

/** Position of a token on the axes time (which picture), row, column, text position. */
export type PositionId = readonly [time: number, row: number, column: number, text: number];

/** References stand apart from the target on the time axis: 10, 20, 30, … in their order. */
const REFERENCE_TIME_STEP = 10;

export function textPositions(length: number): PositionId[] {
  return Array.from({ length }, (_, i) => [0, 0, 0, i]);
}

export function targetPositions(grid: Grid): PositionId[] {
  return gridPositions(grid, 0);
}

/** All tokens of all references, each on its own grid. */
export function referencePositions(grids: readonly Grid[]): PositionId[] {
  return grids.flatMap((grid, i) => gridPositions(grid, REFERENCE_TIME_STEP * (i + 1)));
}

/**
 * Cosine and sine of each pair's angle, [positions, headDim / 2, 2], computed in f64:
 * angle = id · theta^(−2k / axis), k = 0 … axis / 2 − 1 within each axis (Su et al. 2021, RoFormer, eq. 15).
 */
export function tokenRotaryTable(
  positions: readonly PositionId[],
  axes: readonly number[],
  theta: number,
): Float32Array<ArrayBuffer> {
  const width = axes.reduce((sum, axis) => sum + axis, 0);
  const table = new Float32Array(positions.length * width);
  const rotations = axes.map((size) => axisRotations(size, theta));
  let at = 0;
  for (const ids of positions)
    for (const [axis, size] of axes.entries()) {
      table.set(rotations[axis]!(ids[axis]!), at);
      at += size;
    }
  return table;
}

/** Cosine and sine of each pair of one axis, by id. Tokens of a grid share ids, so each is computed once. */
function axisRotations(size: number, theta: number): (id: number) => Float32Array {
  const known = new Map<number, Float32Array>();
  return (id) => {
    let rotation = known.get(id);
    if (!rotation) {
      rotation = new Float32Array(size);
      for (let k = 0; k < size / 2; k++) {
        const angle = id * theta ** ((-2 * k) / size);
        rotation[2 * k] = Math.cos(angle);
        rotation[2 * k + 1] = Math.sin(angle);
      }
      known.set(id, rotation);
    }
    return rotation;
  };
}

function gridPositions({ height, width }: Grid, time: number): PositionId[] {
  return Array.from({ length: height * width }, (_, i) => [time, Math.floor(i / width), i % width, 0]);
}
