import { css, html, type TemplateResult } from "lit";

export const TABLES = css`
  .scroll {
    max-width: 100%;
    overflow-x: auto;
    border: 1px solid var(--line);
    border-radius: var(--radius);
  }

  table {
    width: 100%;
    border-collapse: collapse;
    font-size: 0.8125rem;
    font-variant-numeric: tabular-nums;
    white-space: nowrap;
  }

  th,
  td {
    padding: 0.35rem 0.7rem;
    text-align: start;
    vertical-align: top;
  }

  thead th {
    background: var(--raised);
    font-weight: 600;
  }

  tbody th {
    font-weight: 400;
  }

  tbody tr {
    border-top: 1px solid var(--line);
  }

  .figure {
    text-align: end;
  }
`;

export interface Table {
  /** What it is a table of. */
  readonly name: string;
  readonly head: readonly string[];
  /** The first cell of each names the row. */
  readonly rows: readonly (readonly string[])[];
  /** So many columns at the start are words, the others figures. */
  readonly words: number;
}

/** A table that scrolls within itself where it is wider than the page. */
export function tableTemplate({ name, head, rows, words }: Table): TemplateResult {
  const kind = (column: number): string => (column < words ? "" : "figure");
  return html`
    <div class="scroll" role="region" aria-label=${name} tabindex="0">
      <table aria-label=${name}>
        <thead>
          <tr>
            ${head.map((text, column) => html`<th scope="col" class=${kind(column)}>${text}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            ([first, ...others]) => html`
              <tr>
                <th scope="row">${first}</th>
                ${others.map((text, i) => html`<td class=${kind(i + 1)}>${text}</td>`)}
              </tr>
            `,
          )}
        </tbody>
      </table>
    </div>
  `;
}
