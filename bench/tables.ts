import type { AdapterSummary } from "../runtime/gpu/adapter.ts";
import type { AccelerationRow } from "./acceleration.ts";
import type { Measurement } from "./references.ts";
import type { LoadingRow, StoringRow } from "./loading.ts";
import type { OperatorRow } from "./operators.ts";
import type { PictureRow } from "./pictures.ts";
import type { Roofline } from "./probes.ts";
import { median } from "./statistics.ts";

export const line = (...cells: readonly (string | number)[]): string => `| ${cells.join(" | ")} |`;
export const head = (...cells: readonly string[]): string => `${line(...cells)}\n|${cells.map(() => "---").join("|")}|`;
export const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;

export function rooflineTable({ description, vendor }: AdapterSummary, roofline: Roofline): string {
  const { f32, f16, dot, workgroup, copy, dispatchMicroseconds } = roofline;
  const rate = (value: number | undefined): string => (value === undefined ? "–" : value.toFixed(1));
  return [
    `${description || vendor}\n`,
    head("f32, GFLOP/s", "f16, GFLOP/s", "dp4a, Gop/s", "workgroup memory, GB/s", "copy, GB/s", "dispatch, µs"),
    `${line(rate(f32), rate(f16), rate(dot), rate(workgroup), rate(copy), dispatchMicroseconds.toFixed(1))}\n`,
  ].join("\n");
}

export const OPERATOR_HEAD = head(
  "operator",
  "shape",
  "type",
  "ort, ms",
  "wgsl, ms",
  "wgsl, GFLOP/s",
  "of the roofline",
  "times faster",
);

export function operatorLine({ operator, shape, dtype, timings, speedUp }: OperatorRow): string {
  const [ort, wgsl] = timings as readonly [OperatorRow["timings"][number], OperatorRow["timings"][number]];
  const time = ({ milliseconds, spread }: typeof ort): string =>
    `${milliseconds.toFixed(1)} (${spread.map((value) => value.toFixed(1)).join("–")})`;
  const share = percent(wgsl.rooflineShare);
  return line(operator, shape, dtype, time(ort), time(wgsl), wgsl.gigaflops.toFixed(1), share, speedUp.toFixed(2));
}

export function pictureTable(rows: readonly PictureRow[]): string {
  return [
    head("backend", "type", "weights", "load, s", "first, s", "later, s", "steps, s", "decode, s", "peak, MB"),
    ...rows.map((row) =>
      line(
        row.backend,
        row.dtype,
        row.quantization,
        ...[row.loadSeconds, row.firstSeconds, row.seconds, row.stepSeconds, row.decodeSeconds].map((value) =>
          value.toFixed(2),
        ),
        (row.peakBytes / 1e6).toFixed(1),
      ),
    ),
  ].join("\n");
}

export function stepTable(measurements: readonly Measurement[]): string {
  return [
    head("way", "ms a step", "range", "references pass, ms"),
    ...measurements.map(({ name, stepMs, referencesMs }) =>
      line(
        name,
        median(stepMs).toFixed(1),
        `${Math.min(...stepMs).toFixed(1)}–${Math.max(...stepMs).toFixed(1)}`,
        median(referencesMs).toFixed(1),
      ),
    ),
  ].join("\n");
}

/** A row of the table in docs/acceleration.md. */
export function accelerationLine({ name, skipped, speedUps, psnr }: AccelerationRow): string {
  return line(
    name,
    percent(median(skipped)),
    median(speedUps).toFixed(2),
    median(psnr).toFixed(1),
    Math.min(...psnr).toFixed(1),
  );
}

export const LOADING_HEAD = head(
  "format",
  "file, MB",
  "read, MB/s",
  "decode",
  "quantize",
  "upload",
  "load",
  "bound by",
);

/** All rates in bytes of the file. */
export function loadingLine({ format, fileBytes, seconds, loadSeconds, boundBy }: LoadingRow): string {
  const rates = [seconds.read, seconds.decode, seconds.quantize, seconds.upload, loadSeconds];
  const cells = rates.map((each) => (each === undefined ? "–" : megabytesPerSecond(fileBytes, each)));
  return line(format, (fileBytes / 1e6).toFixed(0), ...cells, boundBy);
}

export function storingTable(rows: readonly StoringRow[]): string {
  return [
    `\n${head("from a server into the store", "MB/s")}`,
    ...rows.map(({ name, bytes, seconds }) => line(name, megabytesPerSecond(bytes, seconds))),
  ].join("\n");
}

function megabytesPerSecond(bytes: number, seconds: number): string {
  return (bytes / seconds / 1e6).toFixed(0);
}
