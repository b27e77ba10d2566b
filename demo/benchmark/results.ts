import { html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { CASES, rowTables } from "../../bench/index.ts";
import { barChartsOf } from "./bar-charts.ts";
import type { MeasuredCase } from "./benchmark-run.ts";
import "./chart.ts";
import { tableTemplate } from "./tables.ts";

/** A case's bars, and all of its figures as a table. */
export function caseTemplate({ name, rows, notes }: MeasuredCase): TemplateResult {
  return html`
    <section class="card" aria-labelledby="case-${name}">
      <div>
        <h3 id="case-${name}">${name}</h3>
        <p class="hint">${CASES[name].description}</p>
      </div>
      ${repeat(
        barChartsOf(name, rows),
        ({ unit }) => unit,
        (chart) => html`
          <kleinbild-benchmark-chart
            .chart=${chart}
            .label=${`Bars: ${name}, in ${chart.unit}. The table below has the figures.`}
          ></kleinbild-benchmark-chart>
        `,
      )}
      ${rowTables(rows).map(({ labels, figures, rows }, i) =>
        tableTemplate({
          name: `Figures of ${name}${i > 0 ? `, table ${i + 1}` : ""}`,
          head: [...labels, ...figures],
          rows,
          words: labels.length,
        }),
      )}
      ${
        notes.length > 0
          ? html`<ul class="list">
              ${notes.map((note) => html`<li>${note}</li>`)}
            </ul>`
          : nothing
      }
    </section>
  `;
}
