import { BACKENDS, type BackendName } from "../../runtime/backend/backend.ts";
import type { Gpu } from "../../runtime/gpu/device.ts";
import type { ScalarType } from "../../runtime/gpu/tensor.ts";
import { f16ToF32 } from "../../runtime/weights/float.ts";
import type { CaseRun } from "../bench-case.ts";
import type { BenchmarkRow, Figure } from "../report/report.ts";
import type { Roofline } from "../roofline/probes.ts";
import { derived, figure, median } from "../statistics.ts";
import { wake } from "../wake.ts";
import type { CheckedOutput, Operator } from "./operator.ts";

/** Allowed error, as a share of the largest expected value. */
const TOLERANCE = { f32: 1e-4, f16: 2e-2 } as const satisfies Record<ScalarType, number>;

/** A round repeats a run until it takes this long, so that the overhead of a submission and the resolution of the clock do not matter. */
const ROUND_MS = 20;
const MOST_RUNS = 200;

/** Times the implementations of an operator in turn. An implementation with wrong results is not timed, and a note says so. */
export async function timeOperator(
  run: CaseRun,
  gpu: Gpu,
  scalar: ScalarType,
  operator: Operator,
  roofline: Roofline,
): Promise<void> {
  const right: BackendName[] = [];
  for (const name of BACKENDS) {
    if (!operator.runs[name]) continue;
    for (const { tensor } of operator.outputs) gpu.recorder.clear(tensor);
    await operator.runs[name]();
    const wrong = await firstError(gpu, operator.outputs, TOLERANCE[scalar]);
    if (wrong === undefined) right.push(name);
    else run.addNote(`${operator.name} (${operator.shape}, ${scalar}) on ${name}, not timed: ${wrong}`);
  }
  const times: Partial<Record<BackendName, number[]>> = {};
  const counts: Partial<Record<BackendName, number>> = {};
  await wake(gpu, async () => {
    for (const name of right) await operator.runs[name]!();
  });
  for (const name of right) counts[name] = await runsOfRound(gpu, operator.runs[name]!);
  for (let round = 0; round < run.choice.repeats && (round === 0 || run.hasTime()); round++)
    for (const name of right) (times[name] ??= []).push(await timeRuns(gpu, operator.runs[name]!, counts[name]!));
  if (right.length > 0) run.addRow(rowOf(operator, scalar, times, roofline));
}

/** Number of runs per round. */
async function runsOfRound(gpu: Gpu, work: () => Promise<void>): Promise<number> {
  let count = 1;
  for (;;) {
    const milliseconds = await timeRuns(gpu, work, count);
    if (count === MOST_RUNS || count * milliseconds >= ROUND_MS / 2) return count;
    count = Math.min(MOST_RUNS, 8 * count, Math.ceil(ROUND_MS / Math.max(milliseconds, ROUND_MS / MOST_RUNS)));
  }
}

/** Milliseconds of one run, from `count` runs in a row. */
async function timeRuns({ clock }: Gpu, work: () => Promise<void>, count: number): Promise<number> {
  clock.reset();
  await clock.time("runs", async () => {
    for (let i = 0; i < count; i++) await work();
  });
  return (await clock.collect())["runs"]! / count;
}

function rowOf(
  { name, shape, work }: Operator,
  scalar: ScalarType,
  { ort, wgsl }: Readonly<Partial<Record<BackendName, readonly number[]>>>,
  roofline: Roofline,
): BenchmarkRow {
  const figures: Record<string, Figure> = {};
  if (ort) figures["ort"] = figure(ort, "ms");
  if (wgsl) {
    figures["wgsl"] = figure(wgsl, "ms");
    const memoryBound = "bytes" in work;
    const rate = (memoryBound ? work.bytes : work.operations) / median(wgsl) / 1e6;
    // kernels sum in f32 if that is faster
    const peak = scalar === "f16" ? Math.max(roofline.f32, roofline.f16 ?? 0) : roofline.f32;
    figures["wgsl rate"] = derived(rate, memoryBound ? "GB/s" : "GFLOP/s");
    figures["of the roofline"] = derived((100 * rate) / (memoryBound ? roofline.copy : peak), "%");
  }
  if (ort && wgsl) figures["times faster"] = derived(median(ort) / median(wgsl), "times faster");
  return { labels: { operator: name, shape, type: scalar }, figures };
}

/** Describes the first wrong value of the outputs; undefined if all are right. */
async function firstError(gpu: Gpu, outputs: readonly CheckedOutput[], tolerance: number): Promise<string | undefined> {
  for (const { tensor, expected } of outputs) {
    const bytes = await gpu.recorder.read(tensor);
    const values = tensor.dtype === "f16" ? f16ToF32(new Uint16Array(bytes)) : new Float32Array(bytes);
    const largest = Math.max(...[...expected.values()].map(Math.abs));
    for (const [at, value] of expected)
      if (!(Math.abs(values[at]! - value) <= tolerance * largest))
        return `it gives ${values[at]}; ${value} was expected.`;
  }
  return undefined;
}
