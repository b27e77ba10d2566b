import type { BenchmarkRow } from "./report.ts";
import { figureText } from "./table.ts";

/** Rows with the same labels, as text. */
export interface RowTable {
  /** Names of the labels: the heads of the first columns. */
  readonly labels: readonly string[];
  /** Heads of the other columns: each figure that any of the rows has, with its unit. */
  readonly figures: readonly string[];
  /** The cells of both. A figure is its value and its quartiles, `–` where the row lacks it. */
  readonly rows: readonly (readonly string[])[];
}

const ABSENT = "–";

/** The rows of a case as tables, one for all rows with the same labels. */
export function rowTables(rows: readonly BenchmarkRow[]): readonly RowTable[] {
  const groups = new Map<string, BenchmarkRow[]>();
  for (const row of rows) {
    const key = Object.keys(row.labels).join();
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()].map(rowTable);
}

function rowTable(rows: readonly BenchmarkRow[]): RowTable {
  const labels = Object.keys(rows[0]!.labels);
  const columns = [...new Set(rows.flatMap(({ figures }) => Object.keys(figuresByColumn(figures))))];
  return {
    labels,
    figures: columns,
    rows: rows.map((row) => {
      const figures = figuresByColumn(row.figures);
      return [
        ...labels.map((label) => row.labels[label]!),
        ...columns.map((column) => (figures[column] ? figureText(figures[column]) : ABSENT)),
      ];
    }),
  };
}

function figuresByColumn(figures: BenchmarkRow["figures"]): BenchmarkRow["figures"] {
  return Object.fromEntries(
    Object.entries(figures).map(([name, figure]) => [
      figure.unit === "times faster" ? name : `${name}, ${figure.unit}`,
      figure,
    ]),
  );
}
