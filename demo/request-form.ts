import { type GenerateRequest, KleinbildError, type ModelConfig } from "../runtime/index.ts";
import { find } from "./dom.ts";

/** Which field of the page asks for which part of a request. */
const FIELDS: Readonly<Record<string, string>> = {
  prompt: "prompt",
  references: "references",
  width: "size",
  height: "size",
  steps: "steps",
  seed: "seed",
  guidance: "guidance",
  negativePrompt: "negative-prompt",
};

/** The fields of a request but its references. */
export class RequestForm {
  readonly #prompt = find("prompt", HTMLTextAreaElement);
  readonly #size = find("size", HTMLSelectElement);
  readonly #automatic = find("size-automatic", HTMLOptionElement);
  readonly #steps = find("steps", HTMLInputElement);
  readonly #seed = find("seed", HTMLInputElement);
  readonly #random = find("seed-random", HTMLInputElement);
  readonly #guided = find("guided", HTMLDivElement);
  readonly #guidance = find("guidance", HTMLInputElement);
  readonly #negativePrompt = find("negative-prompt", HTMLInputElement);
  #defaultSize: number | undefined;
  #references = 0;

  constructor() {
    const form = find("request", HTMLFormElement);
    this.#prompt.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      if (!event.repeat) form.requestSubmit();
    });
    this.#random.addEventListener("change", () => this.#showSeedMode());
    this.#showSeedMode(); // browsers restore fields on reload
  }

  /** Fills in what the model takes when nothing is said. */
  adopt({ distilled, defaultSteps, defaultGuidance, defaultSize }: ModelConfig): void {
    this.#steps.value = String(defaultSteps);
    this.#guided.hidden = distilled;
    this.#guidance.value = String(defaultGuidance ?? 1);
    this.#defaultSize = defaultSize;
    this.#describeAutomatic();
  }

  setReferenceCount(count: number): void {
    this.#references = count;
    this.#describeAutomatic();
  }

  setPrompt(prompt: string): void {
    this.#prompt.value = prompt;
    this.#prompt.focus();
  }

  showSeed(seed: string): void {
    this.#seed.value = seed;
  }

  read(references: readonly Blob[]): GenerateRequest {
    const [width, height] = this.#size.value === "" ? [] : this.#size.value.split("x").map(Number);
    const guided = this.#guided.hidden
      ? {}
      : { guidance: numberOf(this.#guidance), negativePrompt: this.#negativePrompt.value };
    return {
      prompt: this.#prompt.value.trim(),
      references,
      width,
      height,
      steps: numberOf(this.#steps),
      seed: this.#random.checked ? undefined : this.#seed.value.trim(),
      ...guided,
    };
  }

  clearErrors(): void {
    for (const id of new Set(Object.values(FIELDS))) showFieldError(id, "");
  }

  /** Shows an error beside the field that it is about. Returns false when it is about none. */
  showError(error: unknown): boolean {
    if (!(error instanceof KleinbildError)) return false;
    const parameter = error.details["parameter"];
    const id = typeof parameter === "string" ? FIELDS[parameter] : undefined;
    if (id === undefined) return false;
    showFieldError(id, sentence(error.message));
    document.getElementById(id)?.focus();
    return true;
  }

  #showSeedMode(): void {
    this.#seed.readOnly = this.#random.checked;
  }

  #describeAutomatic(): void {
    const fallback = this.#defaultSize === undefined ? "" : `: ${this.#defaultSize} × ${this.#defaultSize}`;
    this.#automatic.textContent = this.#references > 0 ? "Automatic: as image 1" : `Automatic${fallback}`;
  }
}

export function showFieldError(id: string, message: string): void {
  find(`${id}-error`, HTMLParagraphElement).textContent = message;
  const field = document.getElementById(id);
  if (message === "") field?.removeAttribute("aria-invalid");
  else field?.setAttribute("aria-invalid", "true");
}

/** Undefined when empty; NaN, which the engine refuses with a sentence, when it is no number. */
function numberOf(input: HTMLInputElement): number | undefined {
  return input.value === "" && !input.validity.badInput ? undefined : input.valueAsNumber;
}

function sentence(message: string): string {
  return message.charAt(0).toUpperCase() + message.slice(1);
}
