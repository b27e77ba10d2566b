import type { Figure } from "./report.ts";

/** A Markdown table. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), `|${"---|".repeat(head.length)}`, ...rows.map(line)].join("\n");
}

/** The value and its quartiles, with the significant digits of the value. */
export function figureText({ value, spread }: Figure): string {
  const text = (number: number): string => number.toFixed(digitsOf(value));
  return spread ? `${text(value)} (${spread.map(text).join("–")})` : text(value);
}

/** Digits after the point: for three significant digits, and none for whole numbers. */
function digitsOf(value: number): number {
  if (Number.isInteger(value) || value === 0) return 0;
  return Math.min(4, Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value)))));
}
