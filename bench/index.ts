export { CASE_NAMES, type CaseFacts, type CaseName, CASES } from "./case-list.ts";
export { type BenchmarkOptions, runBenchmark } from "./client.ts";
export type { BenchmarkChoice, BenchmarkEvent, ShapeSet } from "./options.ts";
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
