import * as v from "valibot";
import { KleinbildError } from "../../runtime/errors.ts";
import { CASE_NAMES } from "../case-list.ts";
import { type BenchmarkReport, REPORT_FORMAT, type Unit } from "./report.ts";

const UNITS = [
  "µs",
  "ms",
  "s",
  "bytes",
  "MB",
  "MB/s",
  "GB/s",
  "GFLOP/s",
  "Gop/s",
  "%",
  "dB",
  "times faster",
] as const satisfies readonly Unit[];

const PAIR = v.tuple([v.number(), v.number()]);
const FIGURE = v.object({
  value: v.number(),
  spread: v.exactOptional(PAIR),
  unit: v.picklist(UNITS),
  derived: v.exactOptional(v.literal(true)),
});
const ROW = v.object({ labels: v.record(v.string(), v.string()), figures: v.record(v.string(), FIGURE) });
const CASE = v.object({
  case: v.picklist(CASE_NAMES),
  seconds: v.number(),
  rows: v.array(ROW),
  notes: v.array(v.string()),
});
const ADAPTER = v.object({
  vendor: v.string(),
  architecture: v.string(),
  description: v.string(),
  driver: v.exactOptional(v.string()),
  software: v.boolean(),
  features: v.array(v.string()),
  limits: v.record(v.string(), v.number()),
  subgroupSizes: v.exactOptional(PAIR),
});
const REPORT = v.object({
  format: v.literal(REPORT_FORMAT),
  date: v.pipe(v.string(), v.isoTimestamp()),
  versions: v.object({
    kleinbild: v.string(),
    onnxruntimeWeb: v.string(),
    userAgent: v.exactOptional(v.string()),
    node: v.exactOptional(v.string()),
    webgpu: v.exactOptional(v.string()),
  }),
  commit: v.exactOptional(v.string()),
  adapter: ADAPTER,
  repeats: v.number(),
  cases: v.array(CASE),
}) satisfies v.GenericSchema<unknown, BenchmarkReport>;

/**
 * Parses the JSON text of a report.
 * @throws KleinbildError `invalid-request`, which names the first wrong field
 */
export function parseReport(text: string): BenchmarkReport {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new KleinbildError(
      "invalid-request",
      "A report of the benchmark was expected; this is not JSON.",
      {},
      { cause },
    );
  }
  const { success, output, issues } = v.safeParse(REPORT, json);
  if (success) return output;
  const [issue] = issues;
  const field = v.getDotPath(issue) ?? "the whole file";
  throw new KleinbildError("invalid-request", `A report of the benchmark was expected; ${field}: ${issue.message}.`);
}
