import { css, html, nothing, type PropertyDeclarations, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { ArrowLeft, ArrowRight, ImagePlus, X } from "lucide";
import SortableList from "sortablejs";
import { receiveFiles } from "../receive-files.ts";
import type { Observable } from "../state/observable.ts";
import { MAX_REFERENCES, type Reference } from "../state/references.ts";
import { StudioElement } from "../state/studio-element.ts";
import type { Studio } from "../state/studio.ts";
import { base } from "../style/base.ts";
import { icon } from "../style/icon.ts";
import { ObjectUrls } from "./object-urls.ts";

/** Up to four references: dropped, pasted, picked; put in order by dragging or by buttons. */
class KleinbildReferences extends StudioElement {
  static override properties: PropertyDeclarations = { error: {} };
  declare error: string | undefined;
  readonly #urls = new ObjectUrls();
  #sortable: SortableList | undefined;

  static override styles = [
    base,
    css`
      fieldset {
        display: grid;
        gap: 0.6rem;
        min-width: 0;
        margin: 0;
        padding: 0.75rem;
        border: 1px dashed var(--field);
        border-radius: var(--radius);
      }

      :host([dragging]) fieldset {
        border-color: var(--accent);
        background: var(--accent-ground);
      }

      legend {
        padding: 0 0.3rem;
      }

      ol {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(6.25rem, 1fr));
        gap: 0.75rem;
      }

      li {
        display: grid;
        gap: 0.3rem;
        align-content: start;
        min-width: 0;
        font-size: 0.8125rem;
      }

      img {
        display: block;
        width: 100%;
        aspect-ratio: 1;
        border: 1px solid var(--line);
        border-radius: calc(var(--radius) * 0.6);
        background: var(--raised);
        object-fit: contain;
        cursor: grab;
      }

      .ghost {
        opacity: 0.35;
      }

      .title span {
        display: block;
        color: var(--soft);
        font-size: 0.75rem;
      }

      .buttons {
        display: flex;
        gap: 0.25rem;
      }

      .buttons button {
        flex: 1;
        width: auto;
        min-width: 1.5rem;
        min-height: 1.75rem;
      }

      .hint {
        flex: 1 1 12rem;
      }
    `,
  ];

  constructor() {
    super();
    receiveFiles(this, { onDrop: (files) => void this.studio.addReferences(files) });
  }

  protected override observed({ references }: Studio): readonly Observable[] {
    return [references];
  }

  protected override willUpdate(): void {
    this.#urls.retain(this.studio.references.list.map(({ file }) => file));
  }

  protected override render(): TemplateResult {
    const { list } = this.studio.references;
    return html`<fieldset aria-describedby="hint error">
      <legend>References</legend>
      <ol ?hidden=${list.length === 0}>
        ${repeat(
          list,
          (reference) => reference,
          (reference, i) => this.#item(reference, i, list.length),
        )}
      </ol>
      <div class="row">
        <button
          id="add"
          type="button"
          class="small"
          ?disabled=${list.length >= MAX_REFERENCES}
          @click=${() => this.#input.click()}
        >
          ${icon(ImagePlus)} Add pictures…
        </button>
        <p class="hint" id="hint">
          ${list.length === 0 ? "Pictures to edit or combine, up to four: drop or paste them too." : "Prompts call them “image 1”, “image 2”…"}
        </p>
      </div>
      <p class="error" id="error" role="alert">${this.error ?? nothing}</p>
      <input
        type="file"
        accept="image/*"
        multiple
        hidden
        aria-label="Reference pictures"
        @change=${({ target }: Event) => this.#pick(target as HTMLInputElement)}
      />
    </fieldset>`;
  }

  protected override firstUpdated(): void {
    const list = this.renderRoot.querySelector("ol")!;
    let next: Node | null = null;
    this.#sortable = SortableList.create(list, {
      handle: "img",
      ghostClass: "ghost",
      forceFallback: true, // pointer events: touch as well
      fallbackTolerance: 4,
      onStart: ({ item }) => {
        next = item.nextSibling;
      },
      onEnd: ({ item, oldIndex, newIndex }) => {
        list.insertBefore(item, next); // Lit moves it, from where it knows it
        if (oldIndex !== undefined && newIndex !== undefined) this.studio.references.move(oldIndex, newIndex);
      },
    });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#urls.retain([]);
    this.#sortable?.destroy();
    this.#sortable = undefined;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.hasUpdated) this.firstUpdated();
  }

  #item({ file, name, width, height }: Reference, index: number, count: number): TemplateResult {
    const title = `image ${index + 1}`;
    return html`<li>
      <img src=${this.#urls.of(file)} alt="${title}: ${name}" title="Drag to change the order" draggable="false" />
      <p class="title"><b>${title}</b> <span>${width} × ${height}</span></p>
      <div class="buttons">
        ${this.#button(`Move ${title} left`, icon(ArrowLeft, 16), index === 0, () => this.#move(index, -1))}
        ${this.#button(`Move ${title} right`, icon(ArrowRight, 16), index === count - 1, () => this.#move(index, 1))}
        ${this.#button(`Remove ${title}`, icon(X, 16), false, () => void this.#remove(index))}
      </div>
    </li>`;
  }

  #button(name: string, content: unknown, disabled: boolean, onClick: () => void): TemplateResult {
    return html`<button
      class="icon"
      type="button"
      aria-label=${name}
      title=${name}
      ?disabled=${disabled}
      @click=${onClick}
    >
      ${content}
    </button>`;
  }

  get #input(): HTMLInputElement {
    return this.renderRoot.querySelector("input")!;
  }

  #pick(input: HTMLInputElement): void {
    void this.studio.addReferences([...(input.files ?? [])]);
    input.value = ""; // the same file can be picked again
  }

  #move(index: number, by: -1 | 1): void {
    this.studio.references.move(index, index + by);
    void this.#focus(index + by, by < 0 ? [0, 1] : [1, 0]);
  }

  async #remove(index: number): Promise<void> {
    this.studio.references.remove(index);
    await this.#focus(Math.min(index, this.studio.references.list.length - 1), [2]);
  }

  /** Focuses the first of the item's buttons that can be pressed; what adds pictures where there is none. */
  async #focus(index: number, buttons: readonly number[]): Promise<void> {
    await this.updateComplete;
    const ofItem = this.renderRoot.querySelectorAll("li")[index]?.querySelectorAll("button");
    const first = buttons.map((i) => ofItem?.[i]).find((button) => button?.disabled === false);
    (first ?? this.renderRoot.querySelector<HTMLButtonElement>("#add"))?.focus();
  }
}

customElements.define("kleinbild-references", KleinbildReferences);
