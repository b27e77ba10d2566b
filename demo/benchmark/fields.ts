import { html, nothing, type TemplateResult } from "lit";
import { type CaseName, CASES } from "../../bench/index.ts";
import {
  DEFAULT_ROUNDS,
  DEFAULT_SECONDS,
  MAX_ROUNDS,
  needsBaseModel,
  PAGE_CASES,
  PRECISIONS,
  SHAPES,
} from "./choice.ts";

/** The fields that `choiceOf` reads. */
export function fieldsTemplate(hasBaseModel: boolean): TemplateResult {
  return html`
    <fieldset>
      <legend>Cases</legend>
      <div class="cases">${PAGE_CASES.map((name) => checkTemplate(name, hasBaseModel))}</div>
    </fieldset>
    <div class="fields">
      <div class="field">
        <label for="rounds">Rounds</label>
        <input
          id="rounds"
          name="rounds"
          type="number"
          inputmode="numeric"
          min="1"
          max=${MAX_ROUNDS}
          step="1"
          required
          value=${DEFAULT_ROUNDS}
        />
      </div>
      <div class="field">
        <label for="seconds">Seconds</label>
        <input
          id="seconds"
          name="seconds"
          type="number"
          inputmode="numeric"
          min="1"
          step="1"
          value=${DEFAULT_SECONDS}
          aria-describedby="seconds-hint"
        />
        <p id="seconds-hint" class="hint">Nothing is begun after them. Empty: no limit.</p>
      </div>
      ${selectTemplate("dtype", "Precision", PRECISIONS)} ${selectTemplate("shapes", "Sizes", SHAPES)}
    </div>
  `;
}

function checkTemplate(name: CaseName, hasBaseModel: boolean): TemplateResult {
  const missing = needsBaseModel(name) && !hasBaseModel;
  return html`
    <div class="case">
      <label class="check">
        <input
          type="checkbox"
          name="case"
          value=${name}
          ?checked=${CASES[name].byDefault}
          ?disabled=${missing}
          aria-describedby="about-${name}"
        />
        ${name}
      </label>
      <p id="about-${name}" class="hint">
        ${CASES[name].description} ${missing ? "Needs klein-nano-base, which this page does not have." : nothing}
      </p>
    </div>
  `;
}

function selectTemplate(name: string, label: string, choices: Readonly<Record<string, string>>): TemplateResult {
  return html`
    <div class="field">
      <label for=${name}>${label}</label>
      <select id=${name} name=${name}>
        ${Object.entries(choices).map(([value, text]) => html`<option value=${value}>${text}</option>`)}
      </select>
    </div>
  `;
}
