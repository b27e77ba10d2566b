import { css, html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { FolderOpen, ImagePlus, Trash2 } from "lucide";
import type { Observable } from "../state/observable.ts";
import type { Picture } from "../state/picture.ts";
import { StudioElement } from "../state/studio-element.ts";
import type { Studio } from "../state/studio.ts";
import { base } from "../style/base.ts";
import { icon } from "../style/icon.ts";
import { ObjectUrls } from "./object-urls.ts";
import { useAsReference } from "./picture-commands.ts";
import { nameOf } from "./sentences.ts";

/** The pictures made so far, to look at again. */
class KleinbildGallery extends StudioElement {
  readonly #urls = new ObjectUrls();

  static override styles = [
    base,
    css`
      :host {
        display: grid;
        gap: 0.75rem;
        align-content: start;
      }

      .head {
        justify-content: space-between;
      }

      h2 span {
        color: var(--soft);
        font-weight: 400;
      }

      .empty {
        display: grid;
        place-items: center;
        min-height: 9rem;
        padding: var(--gap);
        border: 1px dashed var(--line);
        border-radius: calc(var(--radius) * 1.5);
        color: var(--soft);
        text-align: center;
      }

      .pictures {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(min(8rem, 100%), 1fr));
        gap: 0.75rem;
      }

      li {
        display: grid;
        gap: 0.15rem;
        content-visibility: auto;
        contain-intrinsic-size: auto 8rem auto 10.5rem;
      }

      button.picture {
        display: block;
        width: 100%;
        min-height: 0;
        padding: 0;
        aspect-ratio: 1;
        border: 2px solid transparent;
        background: var(--raised);
        overflow: hidden;
      }

      button.picture:hover {
        border-color: var(--field);
      }

      button.picture[aria-current] {
        border-color: var(--accent);
      }

      /* inside, since what is outside of an item is not painted */
      li :focus-visible {
        outline-offset: -3px;
      }

      li .row {
        gap: 0;
        justify-content: space-between;
      }

      img {
        display: block;
        width: 100%;
        height: 100%;
        object-fit: contain;
      }
    `,
  ];

  protected observed(studio: Studio): readonly Observable[] {
    return [studio, studio.gallery];
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#urls.retain([]);
  }

  protected override willUpdate(): void {
    this.#urls.retain(this.studio.gallery.pictures.map(({ file }) => file));
  }

  protected override render(): TemplateResult {
    const { pictures, loaded } = this.studio.gallery;
    return html`
      <div class="row head">
        <h2 tabindex="-1">Gallery ${loaded ? html`<span>(${pictures.length})</span>` : nothing}</h2>
        <button type="button" class="small" @click=${() => this.#input?.click()}>
          ${icon(FolderOpen)} Open a picture…
        </button>
        <input
          type="file"
          accept="image/png,image/jpeg,image/webp"
          aria-label="Open a picture"
          hidden
          @change=${this.#open}
        />
      </div>
      <p class="hint">A picture that was made here and is opened, or dropped on the page, brings its settings back.</p>
      ${
        pictures.length > 0
          ? html`<ul class="pictures">
              ${repeat(
                pictures,
                ({ id }) => id,
                (picture) => this.#item(picture),
              )}
            </ul>`
          : html`<p class="empty">${loaded ? "What you make is kept here, in this browser only." : nothing}</p>`
      }
    `;
  }

  #item(picture: Picture): TemplateResult {
    const { studio } = this;
    const name = nameOf(picture.metadata.prompt);
    return html`
      <li>
        <button
          type="button"
          class="picture"
          aria-current=${studio.shown?.id === picture.id ? "true" : nothing}
          @click=${() => studio.show(picture)}
        >
          <img src=${this.#urls.of(picture.file)} alt=${name} title=${name} loading="lazy" decoding="async" />
        </button>
        <div class="row">
          <button
            type="button"
            class="icon quiet"
            aria-label="Use “${name}” as reference"
            title="Use as reference"
            @click=${() => useAsReference(studio, picture)}
          >
            ${icon(ImagePlus)}
          </button>
          <button
            type="button"
            class="icon quiet"
            aria-label="Delete “${name}”"
            title="Delete"
            @click=${() => this.#delete(picture)}
          >
            ${icon(Trash2)}
          </button>
        </div>
      </li>
    `;
  }

  /** The focus goes on to the next picture's button, so that several can be deleted in a row. */
  async #delete(picture: Picture): Promise<void> {
    const index = this.studio.gallery.pictures.indexOf(picture);
    const removed = this.studio.remove(picture);
    await this.updateComplete;
    const buttons = [...this.renderRoot.querySelectorAll<HTMLElement>("li button:last-child:not(.picture)")];
    const next = buttons[Math.min(index, buttons.length - 1)] ?? this.renderRoot.querySelector<HTMLElement>("h2");
    next?.focus();
    await removed;
  }

  get #input(): HTMLInputElement | null {
    return this.renderRoot.querySelector("input");
  }

  readonly #open = async ({ target }: Event): Promise<void> => {
    const input = target as HTMLInputElement;
    const files = [...(input.files ?? [])];
    input.value = ""; // so that the same file can be opened again
    await this.studio.receive(files);
  };
}

customElements.define("kleinbild-gallery", KleinbildGallery);
