import type { AdapterSummary } from "../runtime/gpu/adapter.ts";
import { Gpu } from "../runtime/gpu/device.ts";
import type { ScalarType } from "../runtime/gpu/tensor.ts";
import { measureOperators, type OperatorRow } from "./operators.ts";
import { measureRoofline, type Roofline } from "./probes.ts";

export interface OperatorReport {
  readonly adapter: AdapterSummary;
  readonly roofline: Roofline;
  readonly rows: readonly OperatorRow[];
}

/** Probes an adapter and times the operators on it; in Node and in pages. */
export async function runOperators(
  webgpu: GPU,
  dtype: ScalarType | undefined,
  repeats: number,
  onRow: (row: OperatorRow) => void = () => {},
): Promise<OperatorReport> {
  // with subgroups below 16 onnxruntime's attention is wrong
  const gpu = await Gpu.open(webgpu, { withoutFeatures: ["subgroups"] });
  try {
    const roofline = await measureRoofline(gpu);
    const rows = await measureOperators(gpu, gpu.scalarType(dtype), roofline, repeats, onRow);
    return { adapter: gpu.adapter, roofline, rows };
  } finally {
    gpu.destroy();
  }
}
