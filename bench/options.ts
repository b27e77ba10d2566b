import { KleinbildError } from "../runtime/errors.ts";
import type { ScalarType } from "../runtime/gpu/tensor.ts";
import { CASE_NAMES, type CaseName, CASES } from "./case-list.ts";
import type { BenchmarkReport, BenchmarkRow, CaseResult } from "./report/report.ts";

/**
 * The sizes that are measured. `gpu`: shapes of klein 4B. `software`: the shapes that a CPU finishes in the same time.
 * `tiny`: the smallest shapes, as a quick check.
 */
export type ShapeSet = "gpu" | "software" | "tiny";

/** What is measured. Plain data. */
export interface BenchmarkChoice {
  /** Default: the cases with `byDefault`, see {@link CASES}. */
  readonly cases?: readonly CaseName[] | undefined;
  /** Timed rounds, 1 to 1000. Default: 5. */
  readonly repeats?: number | undefined;
  /** Scalar type. Default: f16 where the adapter supports it. Pictures on adapters that run on the CPU use f32. */
  readonly dtype?: ScalarType | undefined;
  /**
   * Seconds after which nothing more is started. Each case has an even share of the time that is left. A case that was
   * started gives at least one row. Default: 120 when no cases are named, otherwise unlimited.
   */
  readonly seconds?: number | undefined;
  /** Default: `gpu`, or `software` on adapters that run on the CPU. */
  readonly shapes?: ShapeSet | undefined;
}

/** A case starts. */
export interface CaseStartEvent {
  /** Always `case`. */
  readonly type: "case";
  /** The case that starts. */
  readonly case: CaseName;
  /** Its number in this run, from 0. */
  readonly index: number;
  /** The number of cases in this run. */
  readonly count: number;
}

/** A row was measured. */
export interface RowEvent {
  /** Always `row`. */
  readonly type: "row";
  /** The case that measured it. */
  readonly case: CaseName;
  /** Its conditions and figures. */
  readonly row: BenchmarkRow;
}

/** A case has ended. */
export interface CaseDoneEvent {
  /** Always `caseDone`. */
  readonly type: "caseDone";
  /** All rows and notes of the case. */
  readonly result: CaseResult;
}

/** The run has ended. This is its last event. */
export interface ReportEvent {
  /** Always `report`. */
  readonly type: "report";
  /** All results. */
  readonly report: BenchmarkReport;
}

/** Progress of `runBenchmark`; switch on `type`. */
export type BenchmarkEvent = CaseStartEvent | RowEvent | CaseDoneEvent | ReportEvent;

export interface ResolvedChoice {
  readonly cases: readonly CaseName[];
  readonly repeats: number;
  readonly dtype: ScalarType | undefined;
  readonly seconds: number;
  readonly shapes: ShapeSet | undefined;
}

const DEFAULT_REPEATS = 5;
const MAX_REPEATS = 1000;
/** Measurements that have started are finished, so a run of the default cases takes up to three minutes. */
const DEFAULT_SECONDS = 120;

/**
 * Validates options and fills in defaults.
 * @throws KleinbildError `invalid-request`, which names the option
 */
export function resolveChoice({
  cases,
  repeats = DEFAULT_REPEATS,
  dtype,
  seconds,
  shapes,
}: BenchmarkChoice): ResolvedChoice {
  for (const name of cases ?? [])
    if (!CASE_NAMES.includes(name))
      throw invalid("cases", `There is no case ${name}; expected one of ${CASE_NAMES.join(", ")}.`);
  if (!Number.isInteger(repeats) || repeats < 1 || repeats > MAX_REPEATS)
    throw invalid("repeats", `repeats must be a whole number from 1 to ${MAX_REPEATS}; got ${repeats}.`);
  if (seconds !== undefined && !(seconds > 0)) throw invalid("seconds", `seconds must be above 0; got ${seconds}.`);
  return {
    cases: CASE_NAMES.filter((name) => cases?.includes(name) ?? CASES[name].byDefault),
    repeats,
    dtype,
    seconds: seconds ?? (cases ? Infinity : DEFAULT_SECONDS),
    shapes,
  };
}

function invalid(parameter: string, message: string): KleinbildError {
  return new KleinbildError("invalid-request", message, { parameter });
}
