import { css, html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import { Plus, X } from "lucide";
import { receiveFiles } from "../receive-files.ts";
import { formatBytes } from "../state/format.ts";
import { isLoraFile, type Lora } from "../state/loras.ts";
import type { Observable } from "../state/observable.ts";
import type { Studio } from "../state/studio.ts";
import { StudioElement } from "../state/studio-element.ts";
import { base } from "../style/base.ts";
import { icon } from "../style/icon.ts";

const MOST = 4;

/** Low-rank adapters that the next pictures are made with, each with its weight. */
class KleinbildLoras extends StudioElement {
  static override properties = { problem: { state: true } };
  declare problem: string;

  static override styles = [
    base,
    css`
      .loras {
        display: grid;
        gap: 0.6rem;
        border-radius: var(--radius);
      }
      :host([dragging]) .loras {
        outline: 2px dashed var(--accent);
        outline-offset: 0.25rem;
      }
      ul {
        display: grid;
        gap: 0.6rem;
      }
      li {
        display: grid;
        grid-template-columns: minmax(0, 1fr) 5rem 2.25rem;
        gap: 0.25rem 0.5rem;
        align-items: center;
      }
      .name {
        grid-column: 1 / -1;
        overflow-wrap: anywhere;
      }
    `,
  ];

  constructor() {
    super();
    this.problem = "";
    receiveFiles(this, { takes: isLoraFile, onDrop: (files) => this.#add(files) }); // pictures go to the references
  }

  protected observed({ loras }: Studio): readonly Observable[] {
    return [loras];
  }

  override render(): TemplateResult {
    const { list } = this.studio.loras;
    return html`
      <div class="loras" role="group" aria-labelledby="title">
        <p id="title" class="label">LoRAs</p>
        ${
          list.length === 0
            ? nothing
            : html`<ul>
                ${list.map((lora) => this.#item(lora))}
              </ul>`
        }
        <div class="row">
          <button
            id="add"
            type="button"
            class="small"
            aria-describedby="hint problem"
            @click=${() => this.renderRoot.querySelector<HTMLInputElement>("#files")!.click()}
          >
            ${icon(Plus, 16)} Add LoRA files…
          </button>
          <p id="hint" class="hint">safetensors, for the size of the model that is open; or drop them here.</p>
        </div>
        <input id="files" type="file" accept=".safetensors" multiple hidden @change=${this.#pick} />
        <p id="problem" class="error" role="alert">${this.problem}</p>
      </div>
    `;
  }

  #item({ id, name, file, weight }: Lora): TemplateResult {
    const set = (event: Event): void => {
      const { valueAsNumber } = event.target as HTMLInputElement;
      if (Number.isFinite(valueAsNumber))
        this.studio.loras.setWeight(id, Math.min(MOST, Math.max(-MOST, valueAsNumber)));
    };
    return html`
      <li>
        <p class="name">${name} <span class="hint">${formatBytes(file.size)}</span></p>
        <input
          type="range"
          aria-label=${`Weight of ${name}`}
          min=${-MOST}
          max=${MOST}
          step="0.05"
          .value=${live(String(weight))}
          @input=${set}
        />
        <input
          type="number"
          aria-label=${`Weight of ${name}, number`}
          min=${-MOST}
          max=${MOST}
          step="0.05"
          .value=${live(String(weight))}
          @change=${set}
        />
        <button type="button" class="icon quiet" aria-label=${`Remove ${name}`} @click=${() => this.#remove(id)}>
          ${icon(X)}
        </button>
      </li>
    `;
  }

  #remove(id: number): void {
    this.studio.loras.remove(id);
    this.renderRoot.querySelector<HTMLElement>("#add")?.focus(); // its button is gone
  }

  #add(files: readonly File[]): void {
    const loras = files.filter(isLoraFile);
    const others = files.filter((file) => !loras.includes(file)).map(({ name }) => name);
    if (loras.length > 0) this.studio.loras.add(loras);
    this.problem =
      others.length > 0 ? `No LoRA, since its name does not end in .safetensors: ${others.join(", ")}.` : "";
  }

  readonly #pick = (event: Event): void => {
    const input = event.target as HTMLInputElement;
    this.#add([...(input.files ?? [])]);
    input.value = ""; // the same file can be chosen again
  };
}

customElements.define("kleinbild-loras", KleinbildLoras);
