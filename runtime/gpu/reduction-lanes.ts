import type { AdapterSummary } from "./adapter.ts";

/** Overrides of kernels that reduce: a workgroup takes `ITEMS` rows (or groups, or parts), each with `LANES` lanes. */
export interface ReductionLanes {
  readonly LANES: number;
  readonly ITEMS: number;
}

const GROUP_LANES = 64;
/** Lanes of a CPU's vector. */
const VECTOR_LANES = 8;

/**
 * How the lanes are shared out for sums of `loads` loads each. A CPU runs the lanes of a vector in step and pays for each
 * barrier what 28 multiply-adds cost, so there each lane has an item of its own.
 */
export function reductionLanes({ software }: Pick<AdapterSummary, "software">, loads: number): ReductionLanes {
  if (software) return { LANES: 1, ITEMS: VECTOR_LANES };
  const lanes = Math.min(GROUP_LANES, 2 ** Math.ceil(Math.log2(loads)));
  return { LANES: lanes, ITEMS: GROUP_LANES / lanes };
}
