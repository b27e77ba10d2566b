import { CASES } from "../case-list.ts";
import type { BenchmarkReport, BenchmarkRow, CaseResult } from "./report.ts";
import { figureText, table } from "./table.ts";

const ABSENT = "–";

/** The report as Markdown: what it was measured on, then the tables of each case. */
export function reportMarkdown(report: BenchmarkReport): string {
  return [heading(report), ...report.cases.map(caseMarkdown)].join("\n\n");
}

function heading({ date, adapter, versions, commit, repeats }: BenchmarkReport): string {
  const { vendor, architecture, description, driver, features } = adapter;
  const name = [description || [vendor, architecture].filter(Boolean).join(" ") || "unnamed adapter", driver];
  const platform = versions.userAgent ?? `Node ${versions.node}, webgpu ${versions.webgpu}`;
  return [
    `# Benchmark of ${date.slice(0, 10)}`,
    `${name.filter(Boolean).join(", ")}${adapter.software ? " (runs on the CPU)" : ""}. ${platform}.`,
    `Kleinbild ${versions.kleinbild}${commit === undefined ? "" : ` (${commit})`}, onnxruntime-web ${versions.onnxruntimeWeb}. Medians and quartiles of ${repeats} rounds.`,
    `Features: ${features.join(", ") || "none"}.`,
  ].join("\n\n");
}

/** One case as Markdown. */
export function caseMarkdown({ case: name, seconds, rows, notes }: CaseResult): string {
  return [
    `## ${name}`,
    `${CASES[name].description} (${seconds.toFixed(0)} s)`,
    ...rowsWithSameLabels(rows).map(rowsTable),
    ...(notes.length > 0 ? [notes.map((note) => `- ${note}`).join("\n")] : []),
  ].join("\n\n");
}

function rowsWithSameLabels(rows: readonly BenchmarkRow[]): readonly (readonly BenchmarkRow[])[] {
  const groups = new Map<string, BenchmarkRow[]>();
  for (const row of rows) {
    const key = Object.keys(row.labels).join();
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()];
}

/** A table of rows with the same labels; a column for each figure and unit that any of them has. */
function rowsTable(rows: readonly BenchmarkRow[]): string {
  const labels = Object.keys(rows[0]!.labels);
  const columns = [...new Set(rows.flatMap(({ figures }) => Object.keys(figuresByColumn(figures))))];
  return table(
    [...labels, ...columns],
    rows.map((row) => {
      const figures = figuresByColumn(row.figures);
      return [
        ...labels.map((label) => row.labels[label]!),
        ...columns.map((column) => (figures[column] ? figureText(figures[column]) : ABSENT)),
      ];
    }),
  );
}

function figuresByColumn(figures: BenchmarkRow["figures"]): BenchmarkRow["figures"] {
  return Object.fromEntries(
    Object.entries(figures).map(([name, figure]) => [
      figure.unit === "times faster" ? name : `${name}, ${figure.unit}`,
      figure,
    ]),
  );
}
