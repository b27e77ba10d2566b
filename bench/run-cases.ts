import { KleinbildError } from "../runtime/errors.ts";
import { withEvents } from "../runtime/async/event-stream.ts";
import { type BenchCase, CaseRun, type SharedRun } from "./bench-case.ts";
import { blocksCase } from "./blocks/blocks-case.ts";
import { referenceBoundCase } from "./blocks/reference-bound-case.ts";
import { accelerationCase } from "./cases/acceleration.ts";
import { basePictures, defaultPictures, allPictures } from "./cases/pictures.ts";
import { referencesCase } from "./cases/references.ts";
import type { CaseName } from "./case-list.ts";
import { operatorsCase } from "./operators/operators-case.ts";
import { type BenchmarkChoice, type BenchmarkEvent, resolveChoice } from "./options.ts";
import type { BenchPlatform } from "./platform.ts";
import { reportConditions } from "./report/conditions.ts";
import type { BenchmarkReport, CaseResult } from "./report/report.ts";
import { rooflineCase } from "./roofline/roofline-case.ts";

/** The cases that a platform can run. */
export type RunnableCases = Readonly<Partial<Record<CaseName, BenchCase>>>;

/** The cases that a page can run. */
export const PAGE_CASES: Readonly<Record<Exclude<CaseName, "loading" | "sizes">, BenchCase>> = {
  roofline: rooflineCase,
  operators: operatorsCase,
  pictures: defaultPictures,
  "pictures-all": allPictures,
  base: basePictures,
  references: referencesCase,
  blocks: blocksCase,
  "reference-bound": referenceBoundCase,
  acceleration: accelerationCase,
};

/**
 * Runs the chosen cases one after the other. The last event holds the report.
 * @throws KleinbildError `unsupported` for a case that this platform cannot run, or the signal's reason
 */
export function runCases(
  platform: BenchPlatform,
  cases: RunnableCases,
  choice: BenchmarkChoice,
  signal?: AbortSignal,
): AsyncGenerator<BenchmarkEvent, void> {
  return withEvents((emit) => runAll(platform, cases, choice, signal, emit));
}

async function runAll(
  platform: BenchPlatform,
  cases: RunnableCases,
  options: BenchmarkChoice,
  signal: AbortSignal | undefined,
  emit: (event: BenchmarkEvent) => void,
): Promise<void> {
  signal?.throwIfAborted();
  const date = new Date().toISOString();
  const choice = resolveChoice(options);
  for (const name of choice.cases)
    if (!cases[name]) throw new KleinbildError("unsupported", `The case ${name} runs only in Node.`, { case: name });
  const conditions = await reportConditions(platform);
  const endMs = performance.now() + 1000 * choice.seconds;
  const shared: SharedRun = { platform, choice, signal, roofline: undefined };
  const results: CaseResult[] = [];
  for (const [index, name] of choice.cases.entries()) {
    emit({ type: "case", case: name, index, count: choice.cases.length });
    const started = performance.now();
    // an equal share of the remaining time, so that a slow case leaves time for the next ones
    const share = (endMs - started) / (choice.cases.length - index);
    const run = new CaseRun(shared, started + share, (row) => emit({ type: "row", case: name, row }));
    if (run.hasTime()) await cases[name]!(run);
    const { rows, notes } = run;
    const result = { case: name, seconds: (performance.now() - started) / 1000, rows, notes };
    results.push(result);
    emit({ type: "caseDone", result });
  }
  const report: BenchmarkReport = { ...conditions, date, repeats: choice.repeats, cases: results };
  emit({ type: "report", report });
}
