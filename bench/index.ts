/**
 * The benchmark in a page: times operators and pictures, and compares reports.
 *
 * @example
 * ```ts
 * import { reportMarkdown, runBenchmark } from "kleinbild/bench";
 *
 * for await (const event of runBenchmark({ cases: ["operators"], seconds: 60 }))
 *   if (event.type === "report") console.log(reportMarkdown(event.report));
 * ```
 *
 * @module kleinbild/bench
 * @packageDocumentation
 */

export { CASE_NAMES, type CaseFacts, type CaseName, CASES } from "./case-list.ts";
export { type BenchmarkOptions, runBenchmark } from "./client.ts";
export type {
  BenchmarkChoice,
  BenchmarkEvent,
  CaseDoneEvent,
  CaseStartEvent,
  ReportEvent,
  RowEvent,
  ShapeSet,
} from "./options.ts";
export {
  type ComparedFigure,
  compareReports,
  type Comparison,
  comparisonMarkdown,
  comparisonRows,
} from "./report/compare.ts";
export { reportMarkdown } from "./report/markdown.ts";
export { parseReport } from "./report/parse-report.ts";
export { type RowTable, rowTables } from "./report/row-tables.ts";
export { figureText } from "./report/table.ts";
export type {
  BenchmarkReport,
  BenchmarkRow,
  CaseResult,
  Figure,
  ReportAdapter,
  ReportVersions,
  Unit,
} from "./report/report.ts";
export { KleinbildError } from "../runtime/errors.ts";
