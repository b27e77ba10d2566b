import { accumulate } from "../../kernels/index.ts";
import type { Kernel } from "../../kernels/kernel.ts";
import type { Gpu } from "../../runtime/gpu/device.ts";
import type { DispatchCall } from "../../runtime/gpu/recorder.ts";
import type { ScalarType, Tensor } from "../../runtime/gpu/tensor.ts";
import type { FixedSizeKernel } from "../../runtime/gpu/workgroups.ts";
import { download, upload } from "./gpu.ts";

const { workgroupSize: WORKGROUP } = accumulate;

/** Element counts around the size of an elementwise kernel's workgroup, and some that need a grid of several rows in `twoRowGrid`. */
export const COUNTS: readonly number[] = [1, WORKGROUP - 1, WORKGROUP, WORKGROUP + 1, 1001];

/** A value that no operator here produces. */
export const UNTOUCHED = -777;

export const repeated = (value: number, count: number): number[] => Array.from({ length: count }, () => value);

/** A grid of two rows. `elementGrid` returns one only for counts that are too large for a test. */
export function twoRowGrid({ workgroupSize }: FixedSizeKernel, count: number): [number, number] {
  return [Math.ceil(Math.ceil(count / workgroupSize) / 2), 2];
}

/** Dispatches one kernel inside error scopes. */
export async function runKernel<K extends Kernel>(gpu: Gpu, kernel: K, call: DispatchCall<K>): Promise<void> {
  await gpu.checked(kernel.name, async () => gpu.recorder.dispatch(kernel, call));
}

/** A tensor of `UNTOUCHED` with `spare` elements beyond `count`, which a kernel must leave as they are. */
export function outputWithSpare(gpu: Gpu, dtype: ScalarType, count: number, spare = 7): Tensor {
  return upload(gpu, dtype, [count + spare], new Float32Array(count + spare).fill(UNTOUCHED));
}

/** Values that a kernel wrote, and unchanged values after `count`. */
export async function downloadWithSpare(
  gpu: Gpu,
  tensor: Tensor,
  count: number,
): Promise<{ readonly values: Float32Array; readonly spare: readonly number[] }> {
  const all = await download(gpu, tensor);
  return { values: all.subarray(0, count), spare: [...all.subarray(count)] };
}
