import { css, html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import { Sparkles, X } from "lucide";
import { KleinbildError, type ModelConfig } from "../../runtime/index.ts";
import { messageOf } from "../state/notices.ts";
import type { Observable } from "../state/observable.ts";
import { StudioElement } from "../state/studio-element.ts";
import type { Studio } from "../state/studio.ts";
import { base } from "../style/base.ts";
import { icon } from "../style/icon.ts";
import { advancedFields } from "./advanced.ts";
import { examplesOf, isNano, NANO_COLOURS, NANO_THINGS } from "./examples.ts";
import { described, messages, numberField } from "./field.ts";
import "./loras.ts";
import "./references.ts";
import { seedField } from "./seed-field.ts";
import { sizeFields } from "./size-fields.ts";

/** Which field asks for which part of a request. */
const FIELD_OF: Readonly<Record<string, string>> = { width: "size", height: "size", negativePrompt: "negative-prompt" };
const DEFAULT_SIZE = 128;

/** What is asked for: prompt, references and settings, with the buttons that begin and end it. */
class KleinbildComposer extends StudioElement {
  /** Of the last model that was ready: the fields stay as they are while another one loads. */
  #model: ModelConfig | undefined;
  #shownError: unknown;

  static override styles = [
    base,
    css`
      form {
        --covered: calc(8.5rem + var(--notices, 0rem));
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 1.1rem;
      }

      .examples {
        display: flex;
        flex-wrap: wrap;
        gap: 0.4rem;
        align-items: center;
        font-size: 0.8125rem;
      }

      .examples span {
        flex: 0 0 100%;
        color: var(--soft);
      }

      .examples button {
        min-height: 1.75rem;
        padding: 0.15rem 0.7rem;
        border-color: var(--line);
        border-radius: 1rem;
        font-size: 0.8125rem;
        text-align: left;
      }

      details > :not(summary) {
        margin-top: 0.6rem;
      }

      details p {
        color: var(--soft);
        font-size: 0.8125rem;
      }

      .columns,
      .size {
        display: grid;
        grid-template-columns: repeat(2, minmax(0, 1fr));
        gap: 0.75rem;
      }

      .columns {
        grid-template-columns: repeat(auto-fit, minmax(min(100%, 9rem), 1fr));
      }

      .size > :first-child,
      .wide {
        grid-column: 1 / -1;
      }

      .seed {
        display: grid;
        grid-template-columns: minmax(0, 1fr) auto auto;
        gap: 0.4rem;
        align-items: center;
      }

      .seed .icon {
        width: 2.5rem;
        min-height: 2.5rem;
      }

      [aria-pressed="true"] {
        border-color: var(--accent);
        background: var(--accent-ground);
        color: var(--accent);
      }

      .actions {
        --covered: 0;
        position: sticky;
        bottom: var(--notices, 0);
        z-index: 1;
        margin-bottom: -0.75rem;
        padding-block: 0.75rem;
        background: var(--ground);
      }

      .actions .primary {
        flex: 1 1 9rem;
        min-height: 2.75rem;
      }

      .actions .check {
        flex: 1 1 100%;
        font-size: 0.875rem;
      }

      /* low, or enlarged: it would cover most of what it belongs to */
      @media (max-height: 30rem) {
        form {
          --covered: 0;
        }

        .actions {
          position: static;
        }
      }
    `,
  ];

  protected override observed({ settings, references, session, queue }: Studio): readonly Observable[] {
    return [this.studio, settings, references, session, queue];
  }

  protected override willUpdate(): void {
    this.#model = this.studio.session.info?.model ?? this.#model;
  }

  protected override render(): TemplateResult {
    const { settings, references, queue } = this.studio;
    const { fields } = settings;
    const model = this.#model;
    const errors = this.#errors();
    const prompt = {
      id: "prompt",
      label: "Prompt",
      hint: "Enter generates, Shift and Enter start a new line.",
      error: errors["prompt"],
    };
    return html`<form novalidate aria-label="Request" @submit=${this.#submit}>
      <div class="field">
        <label for="prompt">Prompt</label>
        <textarea
          id="prompt"
          rows="3"
          spellcheck="false"
          aria-describedby=${described(prompt)}
          aria-invalid=${prompt.error ? "true" : nothing}
          .value=${live(fields.prompt)}
          @input=${({ target }: Event) => settings.set({ prompt: (target as HTMLTextAreaElement).value })}
          @keydown=${this.#submitOnEnter}
        ></textarea>
        ${messages(prompt)}
      </div>
      ${this.#examples()} ${model?.distilled === false ? this.#negativePrompt(errors["negative-prompt"]) : nothing}
      <kleinbild-references .studio=${this.studio} .error=${errors["references"]}></kleinbild-references>
      ${sizeFields(settings, model?.defaultSize ?? DEFAULT_SIZE, references.list.length > 0, errors["size"])}
      <div class="columns">
        ${numberField({
          id: "steps",
          label: "Steps",
          value: fields.steps,
          placeholder: String(model?.defaultSteps ?? ""),
          error: errors["steps"],
          min: 1,
          max: 1000,
          step: 1,
          onInput: (steps) => settings.set({ steps }),
        })}
        ${numberField({
          id: "results",
          label: "Number of results",
          value: fields.results,
          placeholder: "1",
          error: errors["results"],
          min: 1,
          max: 20,
          step: 1,
          onInput: (results) => settings.set({ results }),
        })}
      </div>
      ${seedField(settings, errors["seed"])} ${advancedFields(this.studio, model, errors)}
      <kleinbild-loras .studio=${this.studio}></kleinbild-loras>
      <div class="row actions">
        <label class="check">
          <input
            type="checkbox"
            role="switch"
            .checked=${live(fields.live)}
            @change=${({ target }: Event) => settings.set({ live: (target as HTMLInputElement).checked })}
          />
          Live: the picture follows what you type
        </label>
        <button class="primary" type="submit">${icon(Sparkles)} Generate</button>
        <button
          type="button"
          ?disabled=${queue.pending.length === 0}
          aria-keyshortcuts="Escape"
          @click=${() => queue.cancel()}
        >
          ${icon(X)} Cancel
        </button>
      </div>
    </form>`;
  }

  /** Brings the field that an error is about into view, once; not while somebody types, whom a live picture follows. */
  protected override updated(): void {
    const { latest } = this.studio.queue;
    if (latest?.error === this.#shownError) return;
    this.#shownError = latest?.error;
    if (latest?.order.live) return;
    this.renderRoot.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }

  /** Of the last job, by the field that each is about. */
  #errors(): Readonly<Record<string, string>> {
    const { error } = this.studio.queue.latest ?? {};
    if (!(error instanceof KleinbildError)) return {};
    const parameter = error.details["parameter"];
    return typeof parameter === "string" ? { [FIELD_OF[parameter] ?? parameter]: messageOf(error) } : {};
  }

  #negativePrompt(error: string | undefined): TemplateResult {
    const { settings } = this.studio;
    const field = {
      id: "negative-prompt",
      label: "Negative prompt",
      hint: "What the picture is led away from.",
      error,
    };
    return html`<div class="field">
      <label for="negative-prompt">Negative prompt</label>
      <input
        id="negative-prompt"
        autocomplete="off"
        aria-describedby=${described(field)}
        aria-invalid=${error ? "true" : nothing}
        .value=${live(settings.fields.negativePrompt)}
        @input=${({ target }: Event) => settings.set({ negativePrompt: (target as HTMLInputElement).value })}
      />
      ${messages(field)}
    </div>`;
  }

  #examples(): TemplateResult {
    const count = this.studio.references.list.length;
    const name = this.#model?.name;
    return html`<details>
      <summary>Example prompts</summary>
      ${examplesOf(name).map(
        ({ title, references, prompts }) =>
          html`<div class="examples" role="group" aria-label=${title}>
            <span aria-hidden="true">${title}</span>
            ${prompts.map(
              (prompt) =>
                html`<button type="button" ?disabled=${references > count} @click=${() => this.#take(prompt)}>
                  ${prompt}
                </button>`,
            )}
          </div>`,
      )}
      ${
        isNano(name)
          ? html`<details>
              <summary>What klein-nano can draw</summary>
              <p>
                The bundled model is a miniature for seeing the whole path work, at its best at 128 × 128. It knows 129
                things, <q>big</q> or <q>small</q>, on a background of one colour or of a colour <q>with white dots</q>,
                <q>stripes</q> or <q>checks</q>: ${NANO_THINGS}.
              </p>
              <p>Colours: ${NANO_COLOURS}.</p>
            </details>`
          : nothing
      }
    </details>`;
  }

  #take(prompt: string): void {
    this.studio.settings.set({ prompt });
    this.renderRoot.querySelector<HTMLTextAreaElement>("#prompt")?.focus();
  }

  readonly #submit = (event: SubmitEvent): void => {
    event.preventDefault();
    this.studio.generate();
  };

  readonly #submitOnEnter = (event: KeyboardEvent): void => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    if (!event.repeat) this.studio.generate();
  };
}

customElements.define("kleinbild-composer", KleinbildComposer);
