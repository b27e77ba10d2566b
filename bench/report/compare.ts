import type { CaseName } from "../case-list.ts";
import type { BenchmarkReport, Figure } from "./report.ts";
import { figureText, table } from "./table.ts";

/** A figure that is in both reports. */
export interface ComparedFigure {
  /** The case that measured it. */
  readonly case: CaseName;
  /** The row's labels, joined by commas. */
  readonly row: string;
  /** Name of the figure in its row. */
  readonly figure: string;
  /** The figure in the first report. */
  readonly before: Figure;
  /** The figure in the second report. */
  readonly after: Figure;
  /** `after` divided by `before`. */
  readonly ratio: number;
  /** Whether the quartiles overlap, so that the difference may be chance. Absent when a figure has no quartiles. */
  readonly overlap?: boolean;
}

/** Two reports side by side. */
export interface Comparison {
  /** Differences besides the figures: adapter, versions. */
  readonly conditions: readonly string[];
  /** Figures that both reports have. */
  readonly figures: readonly ComparedFigure[];
  /** Figures that only the first report has. */
  readonly onlyBefore: readonly string[];
  /** Figures that only the second report has. */
  readonly onlyAfter: readonly string[];
}

type Measurement = Pick<ComparedFigure, "case" | "row" | "figure"> & { readonly measured: Figure };

/** Compares two reports figure by figure. Derived figures are left out. */
export function compareReports(before: BenchmarkReport, after: BenchmarkReport): Comparison {
  const [old, current] = [figuresOf(before), figuresOf(after)];
  return {
    conditions: conditionsThatDiffer(before, after),
    figures: [...old].flatMap(([key, { measured, ...labels }]) => {
      const other = current.get(key)?.measured;
      if (!other || other.unit !== measured.unit) return [];
      const overlap = overlaps(measured, other);
      return { ...labels, before: measured, after: other, ratio: other.value / measured.value, ...overlap };
    }),
    onlyBefore: [...old.keys()].filter((key) => !current.has(key)),
    onlyAfter: [...current.keys()].filter((key) => !old.has(key)),
  };
}

/** The compared figures as text: case, row, figure with its unit, before, after, ratio, whether the spreads overlap. */
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

/** A comparison as Markdown: conditions that differ, a table of the figures, figures without a counterpart. */
export function comparisonMarkdown(comparison: Comparison): string {
  const { conditions, onlyBefore, onlyAfter } = comparison;
  return [
    ...conditions.map((condition) => `- ${condition}`),
    table(["case", "row", "figure", "before", "after", "ratio", "spreads overlap"], comparisonRows(comparison)),
    ...onlyBefore.map((name) => `- only before: ${name}`),
    ...onlyAfter.map((name) => `- only after: ${name}`),
  ].join("\n");
}

function figuresOf(report: BenchmarkReport): ReadonlyMap<string, Measurement> {
  const measurements = new Map<string, Measurement>();
  for (const { case: name, rows } of report.cases)
    for (const { labels, figures } of rows)
      for (const [figure, measured] of Object.entries(figures)) {
        const row = Object.values(labels).join(", ");
        if (!measured.derived) measurements.set([name, row, figure].join(": "), { case: name, row, figure, measured });
      }
  return measurements;
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
