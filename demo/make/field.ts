import { html, noChange, nothing, type TemplateResult } from "lit";
import { Directive, directive, type PropertyPart } from "lit/directive.js";
import { setCommittedValue } from "lit/directive-helpers.js";

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
  /** While it is typed. */
  readonly onInput: (value: number | undefined) => void;
  /** When the field is left, or Enter is pressed. */
  readonly onChange?: (value: number | undefined) => void;
}

/** Writes a number into a field, unless what stands there means the same: somebody may be typing it. */
class NumberValue extends Directive {
  render(value: number | undefined): string {
    return value === undefined || Number.isNaN(value) ? "" : String(value);
  }

  override update(part: PropertyPart, [value]: [number | undefined]): unknown {
    if (Object.is(readNumber(part.element as HTMLInputElement), value)) return noChange;
    setCommittedValue(part); // what was written before is not what stands there
    return this.render(value);
  }
}

const numberValue = directive(NumberValue);

export function numberField(options: NumberOptions): TemplateResult {
  const { id, value, placeholder = "", min, max, step, onInput, onChange } = options;
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
      .value=${numberValue(value)}
      aria-describedby=${described(options)}
      aria-invalid=${options.error ? "true" : nothing}
      @input=${({ target }: Event) => onInput(readNumber(target as HTMLInputElement))}
      @change=${({ target }: Event) => onChange?.(readNumber(target as HTMLInputElement))}
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
