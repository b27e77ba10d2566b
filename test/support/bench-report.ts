import type { BenchmarkReport, BenchmarkRow, Figure } from "../../bench/report/report.ts";

/** A report with these rows of the case operators. */
export function reportOf(rows: readonly BenchmarkRow[], changes: Partial<BenchmarkReport> = {}): BenchmarkReport {
  return {
    format: "kleinbild-benchmark-1",
    date: "2026-11-26T01:02:03.000Z",
    versions: { kleinbild: "0.1.0", onnxruntimeWeb: "1.30.0", node: "v20.0.0", webgpu: "0.6.2" },
    adapter: {
      vendor: "acme",
      architecture: "one",
      description: "Acme One",
      software: false,
      features: ["shader-f16"],
      limits: { maxBufferSize: 1024 },
    },
    repeats: 3,
    cases: [{ case: "operators", seconds: 12.3, rows, notes: [] }],
    ...changes,
  };
}

export function rowOf(operator: string, figures: Readonly<Record<string, Figure>>): BenchmarkRow {
  return { labels: { operator, type: "f32" }, figures };
}
