import type { BenchmarkRow, CaseName, Figure, Unit } from "../../bench/index.ts";

/** One bar: the median, and the quartiles where it was measured several times. */
type Bar = Pick<Figure, "value" | "spread">;

/** Bars of one colour. */
export interface BarSeries {
  readonly name: string;
  /** One for each category; undefined where it was not measured. */
  readonly bars: readonly (Bar | undefined)[];
}

/** Figures of one unit, as horizontal bars: for each category one of each series. */
export interface BarChart {
  readonly unit: Unit;
  readonly categories: readonly string[];
  readonly series: readonly BarSeries[];
  /** Whether the values are so far apart that the short bars would not be seen otherwise. */
  readonly logarithmic: boolean;
}

/** What is drawn of each case; its other figures are parts of these or follow from them. */
const DRAWN: Readonly<Record<CaseName, readonly string[]>> = {
  roofline: ["rate"],
  operators: ["ort", "wgsl"],
  pictures: ["total"],
  "pictures-all": ["total"],
  base: ["total"],
  references: ["step"],
  blocks: ["one"],
  "reference-bound": ["computed step", "cached step"],
  acceleration: ["steps times faster"],
  loading: ["rate"],
  sizes: ["brotli"],
};

/** The implementations as people know them; they come in this order. */
const IMPLEMENTATIONS: Readonly<Record<string, string>> = {
  ort: "onnxruntime (ort)",
  wgsl: "own kernels (wgsl)",
};
const IMPLEMENTATION_LABEL = "backend";
/** Two bars at least: one compares with nothing. */
const LEAST_BARS = 2;
/** Largest by smallest value that bars of one scale can show. */
const LARGEST_RATIO = 25;

interface Drawn extends Bar {
  readonly category: string;
  readonly series: string;
  readonly unit: Unit;
}

/** The charts of a case, one for each unit of what it measures. */
export function barChartsOf(name: CaseName, rows: readonly BenchmarkRow[]): readonly BarChart[] {
  const drawn = drawnOf(name, rows);
  return [...new Set(drawn.map(({ unit }) => unit))]
    .map((unit) => drawn.filter((bar) => bar.unit === unit))
    .filter((bars) => bars.length >= LEAST_BARS)
    .map(chartOf);
}

function drawnOf(name: CaseName, rows: readonly BenchmarkRow[]): readonly Drawn[] {
  const measured = rows.filter(({ figures }) =>
    DRAWN[name].some((figure) => figures[figure] && !figures[figure].derived),
  );
  const categories = categoriesOf(measured);
  return measured.flatMap(({ labels, figures }, i) =>
    DRAWN[name].flatMap((figure): readonly Drawn[] => {
      const { value, spread, unit } = figures[figure] ?? {};
      if (value === undefined || unit === undefined) return [];
      const series = labels[IMPLEMENTATION_LABEL] ?? figure;
      return [{ category: categories[i]!, value, ...(spread && { spread }), unit, series }];
    }),
  );
}

function chartOf(drawn: readonly Drawn[]): BarChart {
  const categories = [...new Set(drawn.map(({ category }) => category))];
  const names = [...new Set(drawn.map(({ series }) => series))].toSorted(byImplementation);
  const values = drawn.map(({ value }) => value);
  return {
    unit: drawn[0]!.unit,
    categories,
    series: names.map((name) => ({
      name: IMPLEMENTATIONS[name] ?? name,
      bars: categories.map((category) => barOf(drawn.find((bar) => bar.series === name && bar.category === category))),
    })),
    logarithmic: Math.min(...values) > 0 && Math.max(...values) / Math.min(...values) > LARGEST_RATIO,
  };
}

function barOf(drawn: Drawn | undefined): Bar | undefined {
  return drawn && { value: drawn.value, ...(drawn.spread && { spread: drawn.spread }) };
}

function byImplementation(a: string, b: string): number {
  const order = Object.keys(IMPLEMENTATIONS);
  return order.indexOf(a) - order.indexOf(b);
}

/** A name for each row: those labels, besides the implementation, that tell it from rows of which the ones before do not. */
function categoriesOf(rows: readonly BenchmarkRow[]): readonly string[] {
  const labels = new Set(rows.flatMap(({ labels }) => Object.keys(labels)));
  labels.delete(IMPLEMENTATION_LABEL);
  const textsOf = (names: readonly string[]): readonly string[] => rows.map(({ labels }) => textOf(labels, names));
  const count = (names: readonly string[]): number => new Set(textsOf(names)).size;
  const names: string[] = [];
  for (const label of labels) if (count(names.concat(label)) > count(names)) names.push(label);
  return textsOf(names.length > 0 ? names : [...labels]);
}

/** Labels in words; numbers say what they count. */
function textOf(labels: BenchmarkRow["labels"], names: readonly string[]): string {
  return names
    .flatMap((name) => {
      const value = labels[name];
      if (value === undefined || value === "–") return [];
      return [/^\d+$/.test(value) ? `${name}: ${value}` : value];
    })
    .join(", ");
}
