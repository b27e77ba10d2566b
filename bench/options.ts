import { KleinbildError } from "../runtime/errors.ts";
import type { ScalarType } from "../runtime/gpu/tensor.ts";
import { CASE_NAMES, type CaseName, CASES } from "./case-list.ts";
import type { BenchmarkReport, BenchmarkRow, CaseResult } from "./report/report.ts";

/** `gpu`: shapes of klein 4B; `software`: what a CPU does of them in the time; `tiny`: next to nothing, as a check. */
export type ShapeSet = "gpu" | "software" | "tiny";

/** What is measured; plain data. */
export interface BenchmarkChoice {
  /** Default: those that need no asking for, see `CASES`. */
  readonly cases?: readonly CaseName[] | undefined;
  /** Timed rounds, 1 … 1000. Default: 5. */
  readonly repeats?: number | undefined;
  /** Scalar type. Default: f16 where the adapter has it, but f32 for pictures on adapters that run on the CPU. */
  readonly dtype?: ScalarType | undefined;
  /**
   * Seconds after which nothing more is begun; each case has an even share of what is left, and gives one row at least if it
   * was begun. Default: 120 where no cases are named, else as long as they take.
   */
  readonly seconds?: number | undefined;
  /** Default: by the adapter. */
  readonly shapes?: ShapeSet | undefined;
}

export type BenchmarkEvent =
  /** A case begins, the `index`th from 0 of `count`. */
  | { readonly type: "case"; readonly case: CaseName; readonly index: number; readonly count: number }
  | { readonly type: "row"; readonly case: CaseName; readonly row: BenchmarkRow }
  | { readonly type: "caseDone"; readonly result: CaseResult }
  /** The last one. */
  | { readonly type: "report"; readonly report: BenchmarkReport };

export interface ResolvedChoice {
  readonly cases: readonly CaseName[];
  readonly repeats: number;
  readonly dtype: ScalarType | undefined;
  readonly seconds: number;
  readonly shapes: ShapeSet | undefined;
}

const DEFAULT_REPEATS = 5;
const MAX_REPEATS = 1000;
/** With what must be finished then, a run of the default cases stays below three minutes. */
const DEFAULT_SECONDS = 120;

/**
 * The choice with its defaults.
 * @throws KleinbildError `invalid-request` that names the option
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
      throw invalid("cases", `There is no case ${name}; there are ${CASE_NAMES.join(", ")}.`);
  if (!Number.isInteger(repeats) || repeats < 1 || repeats > MAX_REPEATS)
    throw invalid("repeats", `repeats must be a whole number of 1 to ${MAX_REPEATS}; got ${repeats}.`);
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
