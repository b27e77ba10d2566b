import type { AdapterSummary } from "./adapter.ts";

/** Lanes of a workgroup, of which every row takes `LANES`: the overrides of kernels that reduce along rows. */
export interface RowLanes {
  readonly LANES: number;
  readonly ROWS: number;
}

const GROUP_LANES = 64;
/** Lanes of a CPU's vector. */
const VECTOR_LANES = 8;

/**
 * How rows of `columns` loads are shared out. A CPU runs the lanes of a vector in step and pays for each barrier what 28
 * multiply-adds cost, so there each lane has a row of its own.
 */
export function rowLanes({ software }: Pick<AdapterSummary, "software">, columns: number): RowLanes {
  if (software) return { LANES: 1, ROWS: VECTOR_LANES };
  const lanes = Math.min(GROUP_LANES, 2 ** Math.ceil(Math.log2(columns)));
  return { LANES: lanes, ROWS: GROUP_LANES / lanes };
}
