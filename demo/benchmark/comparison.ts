import { html, nothing, type TemplateResult } from "lit";
import {
  type BenchmarkReport,
  compareReports,
  type Comparison,
  comparisonRows,
  parseReport,
} from "../../bench/index.ts";
import { messageOf } from "../state/notices.ts";
import { tableTemplate } from "./tables.ts";

/** A saved report beside the one of this page. */
export interface SavedComparison {
  readonly file: string;
  /** ISO 8601, of the saved one. */
  readonly date: string;
  readonly comparison: Comparison;
}

const HEAD = ["Case", "Row", "Figure", "Before", "After", "Ratio", "Quartiles overlap"];
const WORDS = 3;

/**
 * Reads a saved report and compares this one with it.
 * @throws Error with a sentence that names the file
 */
export async function compareWithFile(file: File, report: BenchmarkReport): Promise<SavedComparison> {
  try {
    const saved = parseReport(await file.text());
    return { file: file.name, date: saved.date, comparison: compareReports(saved, report) };
  } catch (cause) {
    throw new Error(`The file ${file.name} cannot be compared. ${messageOf(cause)}`, { cause });
  }
}

export function comparisonTemplate({ file, date, comparison }: SavedComparison): TemplateResult {
  const { conditions, figures, onlyBefore, onlyAfter } = comparison;
  return html`
    <p class="hint">Before: ${file}, of ${date.slice(0, 10)}. After: the run above. Ratios are after by before.</p>
    ${
      conditions.length > 0
        ? html`<p class="hint">What else differs:</p>
            <ul class="list">
              ${conditions.map((condition) => html`<li>${condition}</li>`)}
            </ul>`
        : nothing
    }
    ${
      figures.length > 0
        ? tableTemplate({
            name: `This run compared with ${file}`,
            head: HEAD,
            rows: comparisonRows(comparison),
            words: WORDS,
          })
        : html`<p>The two reports have no figures in common.</p>`
    }
    ${onlyTemplate("Only in the saved report", onlyBefore)} ${onlyTemplate("Only in this run", onlyAfter)}
  `;
}

function onlyTemplate(title: string, names: readonly string[]): TemplateResult | typeof nothing {
  if (names.length === 0) return nothing;
  return html`<details>
    <summary>${title}: ${names.length} ${names.length === 1 ? "figure" : "figures"}</summary>
    <ul class="list">
      ${names.map((name) => html`<li>${name}</li>`)}
    </ul>
  </details>`;
}
