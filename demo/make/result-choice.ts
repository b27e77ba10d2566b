import { html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import type { Picture } from "../state/picture.ts";
import type { ObjectUrls } from "./object-urls.ts";

/** The pictures of one request, to choose which one is looked at. */
export function resultChoice(
  results: readonly Picture[],
  shown: Picture | undefined,
  urls: ObjectUrls,
  onChoose: (picture: Picture) => void,
): TemplateResult | typeof nothing {
  if (results.length === 0) return nothing;
  return html`
    <div class="results" role="group" aria-label="Pictures of this request">
      ${repeat(
        results,
        ({ id }) => id,
        (picture, index) => html`
          <button type="button" aria-current=${picture === shown ? "true" : nothing} @click=${() => onChoose(picture)}>
            <img src=${urls.of(picture.file)} alt="Picture ${index + 1}, seed ${picture.report.seed}" />
          </button>
        `,
      )}
    </div>
  `;
}
