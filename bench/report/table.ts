import type { Figure } from "./report.ts";

/** A Markdown table. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), `|${"---|".repeat(head.length)}`, ...rows.map(line)].join("\n");
}

/** The value and its quartiles, with as many digits as say something. */
export function figureText({ value, spread }: Figure): string {
  const text = (number: number): string => number.toFixed(digitsOf(value));
  return spread ? `${text(value)} (${spread.map(text).join("–")})` : text(value);
}

/** Three significant digits, no more than needed for whole numbers. */
function digitsOf(value: number): number {
  if (Number.isInteger(value) || value === 0) return 0;
  return Math.min(4, Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value)))));
}
