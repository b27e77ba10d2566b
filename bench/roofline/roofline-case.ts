import type { CaseRun } from "../bench-case.ts";
import type { Figure } from "../report/report.ts";
import { subgroupMatrixRows } from "./subgroup-matrix.ts";

/** Measures the limits of the adapter. */
export async function rooflineCase(run: CaseRun): Promise<void> {
  const { f32, f16, dot, workgroup, copy, dispatchMicroseconds } = await run.roofline();
  const probes: Readonly<Record<string, Figure | undefined>> = {
    "multiply-adds in f32": { value: f32, unit: "GFLOP/s" },
    "multiply-adds in f16": f16 === undefined ? undefined : { value: f16, unit: "GFLOP/s" },
    dot4I8Packed: dot === undefined ? undefined : { value: dot, unit: "Gop/s" },
    "reads of workgroup memory": { value: workgroup, unit: "GB/s" },
    "copy, read and written": { value: copy, unit: "GB/s" },
    "an empty dispatch": { value: dispatchMicroseconds, unit: "µs" },
  };
  for (const [probe, measured] of Object.entries(probes))
    if (measured) run.addRow({ labels: { probe }, figures: { [measured.unit === "µs" ? "time" : "rate"]: measured } });
  await subgroupMatrixRows(run);
}
