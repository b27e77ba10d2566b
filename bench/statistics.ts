import type { Figure, Unit } from "./report/report.ts";

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Interpolates linearly between two values. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const position = (sorted.length - 1) * share;
  const below = sorted[Math.floor(position)]!;
  return below + (sorted[Math.ceil(position)]! - below) * (position % 1);
}

/** The median and, with at least two values, the quartiles. */
export function figure(values: readonly number[], unit: Unit): Figure {
  if (values.length === 1) return { value: values[0]!, unit };
  return { value: median(values), spread: [quantile(values, 0.25), quantile(values, 0.75)], unit };
}

/** A figure that follows from other figures of its row. */
export function derived(value: number, unit: Unit): Figure {
  return { value, unit, derived: true };
}
