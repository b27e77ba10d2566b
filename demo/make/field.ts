import { html, noChange, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";

/** A text or number field with its label, hint and error. */
export interface FieldOptions {
  readonly id: string;
  readonly label: string;
  readonly error: string | undefined;
  readonly hint?: string;
}

export interface NumberOptions extends FieldOptions {
  /** Undefined: empty; NaN: what stands there is no number. */
  readonly value: number | undefined;
  readonly placeholder?: string;
  readonly min: number;
  readonly max?: number;
  readonly step: number | "any";
  readonly onChange: (value: number | undefined) => void;
}

export function numberField(options: NumberOptions): TemplateResult {
  const { id, value, placeholder = "", min, max, step, onChange } = options;
  return html`<div class="field">
    <label for=${id}>${options.label}</label>
    <input
      id=${id}
      type="number"
      min=${min}
      max=${max ?? nothing}
      step=${step}
      inputmode=${step === 1 ? "numeric" : "decimal"}
      placeholder=${placeholder}
      .value=${Number.isNaN(value) ? noChange : live(value === undefined ? "" : String(value))}
      aria-describedby=${described(options)}
      aria-invalid=${options.error ? "true" : nothing}
      @change=${({ target }: Event) => onChange(readNumber(target as HTMLInputElement))}
    />
    ${messages(options)}
  </div>`;
}

/** The hint and the error below a field; `described` names them for it. */
export function messages({ id, hint, error }: FieldOptions): TemplateResult {
  return html`${hint === undefined ? nothing : html`<p class="hint" id="${id}-hint">${hint}</p>`}
    <p class="error" id="${id}-error">${error ?? nothing}</p>`;
}

export function described({ id, hint }: FieldOptions): string {
  return hint === undefined ? `${id}-error` : `${id}-hint ${id}-error`;
}

/** NaN, which the engine refuses with a sentence, when it is no number. */
function readNumber(input: HTMLInputElement): number | undefined {
  return input.value === "" && !input.validity.badInput ? undefined : input.valueAsNumber;
}
