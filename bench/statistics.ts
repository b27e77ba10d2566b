import type { Figure, Unit } from "./report/report.ts";

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Between the values beside it, where it falls between two. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const below = sorted[Math.floor(place)]!;
  return below + (sorted[Math.ceil(place)]! - below) * (place % 1);
}

/** The median of at least one value, and the quartiles of at least two. */
export function figure(values: readonly number[], unit: Unit): Figure {
  if (values.length === 1) return { value: values[0]!, unit };
  return { value: median(values), spread: [quantile(values, 0.25), quantile(values, 0.75)], unit };
}

/** What follows from other figures of the row. */
export function derived(value: number, unit: Unit): Figure {
  return { value, unit, derived: true };
}
