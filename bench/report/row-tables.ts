import type { BenchmarkRow } from "./report.ts";
import { figureText } from "./table.ts";

/** Rows with the same label names, as text. */
export interface RowTable {
  /** Headers of the first columns: names of the labels. */
  readonly labels: readonly string[];
  /** Headers of the other columns: each figure of any row, with its unit. */
  readonly figures: readonly string[];
  /** Cells of all columns. A figure is its value and its quartiles, or `–` if the row does not have it. */
  readonly rows: readonly (readonly string[])[];
}

const ABSENT = "–";

/** Tables of the rows of a case, one for each set of label names. */
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
