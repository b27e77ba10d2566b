import { countNonfinite } from "../../kernels/index.ts";
import { KleinbildError } from "../errors.ts";
import type { Gpu } from "./device.ts";
import { elementCount, scalarOf, type Tensor } from "./tensor.ts";
import { elementGrid } from "./workgroups.ts";

/** @throws KleinbildError `not-finite` when any value of the f32 or f16 tensors is NaN or infinite */
export async function assertFinite(gpu: Gpu, stage: string, tensors: readonly Tensor[]): Promise<void> {
  using scope = gpu.memory.scope("transfer");
  const counter = scope.tensor("finite check", "u32", [1]);
  gpu.recorder.clear(counter);
  for (const x of tensors) {
    const count = elementCount(x.shape);
    gpu.recorder.dispatch(countNonfinite, {
      bindings: { x, counter },
      parameters: { count },
      scalar: scalarOf(x),
      grid: elementGrid(countNonfinite, count),
    });
  }
  const [bad] = new Uint32Array(await gpu.recorder.read(counter));
  if (bad !== 0)
    throw new KleinbildError("not-finite", `${bad} values are NaN or infinite after ${stage}.`, {
      stage,
      values: bad!,
    });
}
