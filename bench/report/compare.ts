import type { CaseName } from "../case-list.ts";
import type { BenchmarkReport, Figure } from "./report.ts";
import { figureText, table } from "./table.ts";

/** A figure that both reports have. */
export interface ComparedFigure {
  readonly case: CaseName;
  /** The row's labels. */
  readonly row: string;
  readonly figure: string;
  readonly before: Figure;
  readonly after: Figure;
  /** After by before. */
  readonly ratio: number;
  /** Whether the quartiles overlap, so that the difference may be chance; absent where one of them has none. */
  readonly overlap?: boolean;
}

export interface Comparison {
  /** What differs besides the figures: the adapter, versions. */
  readonly conditions: readonly string[];
  readonly figures: readonly ComparedFigure[];
  /** Figures that only one of the reports has. */
  readonly onlyBefore: readonly string[];
  readonly onlyAfter: readonly string[];
}

type Place = Pick<ComparedFigure, "case" | "row" | "figure"> & { readonly measured: Figure };

/** Sets the figures of two reports side by side; those that follow from others are left out. */
export function compareReports(before: BenchmarkReport, after: BenchmarkReport): Comparison {
  const [old, current] = [figuresOf(before), figuresOf(after)];
  return {
    conditions: conditionsThatDiffer(before, after),
    figures: [...old].flatMap(([key, { measured, ...place }]) => {
      const other = current.get(key)?.measured;
      if (!other || other.unit !== measured.unit) return [];
      const overlap = overlaps(measured, other);
      return { ...place, before: measured, after: other, ratio: other.value / measured.value, ...overlap };
    }),
    onlyBefore: [...old.keys()].filter((key) => !current.has(key)),
    onlyAfter: [...current.keys()].filter((key) => !old.has(key)),
  };
}

/** Figures as text: case, row, figure with its unit, before, after, ratio, whether the spreads overlap. */
export function comparisonRows({ figures }: Pick<Comparison, "figures">): readonly (readonly string[])[] {
  return figures.map(({ case: name, row, figure, before, after, ratio, overlap }) => [
    name,
    row,
    `${figure}, ${before.unit}`,
    figureText(before),
    figureText(after),
    ratio.toFixed(2),
    overlap === undefined ? "–" : overlap ? "yes" : "no",
  ]);
}

export function comparisonMarkdown(comparison: Comparison): string {
  const { conditions, onlyBefore, onlyAfter } = comparison;
  return [
    ...conditions.map((condition) => `- ${condition}`),
    table(["case", "row", "figure", "before", "after", "ratio", "spreads overlap"], comparisonRows(comparison)),
    ...onlyBefore.map((name) => `- only before: ${name}`),
    ...onlyAfter.map((name) => `- only after: ${name}`),
  ].join("\n");
}

function figuresOf(report: BenchmarkReport): ReadonlyMap<string, Place> {
  const places = new Map<string, Place>();
  for (const { case: name, rows } of report.cases)
    for (const { labels, figures } of rows)
      for (const [figure, measured] of Object.entries(figures)) {
        const row = Object.values(labels).join(", ");
        if (!measured.derived) places.set([name, row, figure].join(": "), { case: name, row, figure, measured });
      }
  return places;
}

function overlaps(a: Figure, b: Figure): { readonly overlap?: boolean } {
  return a.spread && b.spread ? { overlap: a.spread[0] <= b.spread[1] && b.spread[0] <= a.spread[1] } : {};
}

function conditionsThatDiffer(before: BenchmarkReport, after: BenchmarkReport): readonly string[] {
  const [a, b] = [conditionsOf(before), conditionsOf(after)];
  return [...new Set([...Object.keys(a), ...Object.keys(b)])]
    .filter((key) => a[key] !== b[key])
    .map((key) => `${key}: ${a[key] ?? "unknown"} → ${b[key] ?? "unknown"}`);
}

function conditionsOf({
  adapter,
  versions,
  commit,
  repeats,
}: BenchmarkReport): Readonly<Record<string, string | number | undefined>> {
  const { vendor, architecture, description, driver } = adapter;
  return { adapter: description || `${vendor} ${architecture}`, driver, ...versions, commit, repeats };
}
