import type { Kernel } from "../../kernels/kernel.ts";
import type { AdapterSummary } from "./adapter.ts";

/** Workgroups that WebGPU allows in each dimension of a dispatch. */
export const MAX_WORKGROUPS = 65_535;

/** A kernel whose workgroups have a fixed size. */
export type FixedSizeKernel = Kernel & { readonly workgroupSize: number };

/** A grid for `count` workgroups in one dimension, folded into x and y; kernels read `id.y * groups.x + id.x`. */
export function foldGrid(count: number): [number, number] {
  if (count <= MAX_WORKGROUPS) return [count, 1];
  const y = Math.ceil(count / MAX_WORKGROUPS);
  return [Math.ceil(count / y), y];
}

/** The grid of an elementwise kernel: one invocation for each of `count` elements. */
export function elementGrid({ workgroupSize }: FixedSizeKernel, count: number): [number, number] {
  return foldGrid(Math.ceil(count / workgroupSize));
}

/** Overrides of kernels that reduce: a workgroup takes `ITEMS` rows, groups or slices, each with `LANES` lanes. */
export interface ReductionLanes {
  readonly LANES: number;
  readonly ITEMS: number;
}

const GROUP_LANES = 64;
/** Lanes of a CPU's vector. */
const VECTOR_LANES = 8;

/**
 * How a workgroup's lanes are divided among sums of `loads` loads each. A CPU runs the lanes of a vector in step, and each
 * barrier costs it as much as 28 multiply-adds, so there each lane has an item of its own.
 */
export function reductionLanes({ software }: Pick<AdapterSummary, "software">, loads: number): ReductionLanes {
  if (software) return { LANES: 1, ITEMS: VECTOR_LANES };
  const lanes = Math.min(GROUP_LANES, 2 ** Math.ceil(Math.log2(loads)));
  return { LANES: lanes, ITEMS: GROUP_LANES / lanes };
}
