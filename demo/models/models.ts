import { css, html, type TemplateResult } from "lit";
import type { ModelChoice } from "../studio-types.ts";
import type { Observable } from "../state/observable.ts";
import { StudioElement } from "../state/studio-element.ts";
import { base } from "../style/base.ts";
import "./catalog-list.ts";
import { Library } from "./library.ts";
import type { KleinbildModelForm } from "./model-form.ts";
import "./model-form.ts";
import { ModelLoad } from "./model-load.ts";
import "./open-model.ts";
import "./stored-models.ts";

/** The tab of models: what is open, what there is, how to load one, and what this device keeps. */
class KleinbildModels extends StudioElement {
  static override properties = { choices: { attribute: false } };
  /** Models of this site besides klein-nano. */
  declare choices: readonly ModelChoice[];
  readonly #library = new Library();
  readonly #load = new ModelLoad(this.#library);
  /** The store is read when the tab is first looked at, not while the page starts. */
  readonly #seen = new IntersectionObserver((entries) => {
    if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
    this.#seen.disconnect();
    void this.#library.refresh();
  });

  static override styles = [
    base,
    css`
      :host {
        container-type: inline-size;
      }
      .page,
      section,
      .own {
        display: grid;
        gap: var(--gap);
        min-width: 0;
        align-content: start;
      }
      .page,
      .own {
        gap: calc(2 * var(--gap));
      }
      section > .hint {
        max-width: 75ch;
      }
      @container (min-width: 60rem) {
        .own {
          grid-template-columns: repeat(2, minmax(0, 1fr));
        }
      }
    `,
  ];

  constructor() {
    super();
    this.choices = [];
  }

  protected observed(): readonly Observable[] {
    return [];
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#seen.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#seen.disconnect();
    this.#load.leave();
    this.#library.close();
  }

  override render(): TemplateResult {
    const { studio, choices } = this;
    return html`
      <div class="page">
        <section aria-labelledby="open">
          <h2 id="open">The open model</h2>
          <kleinbild-open-model .studio=${studio}></kleinbild-open-model>
        </section>
        <section aria-labelledby="catalog">
          <h2 id="catalog">Models there are</h2>
          <p class="hint">
            The miniatures are on this site. The full-size models are their publisher's to give: load one from its
            address or from files that you have.
          </p>
          <kleinbild-catalog
            .studio=${studio}
            .choices=${choices}
            .onAddress=${(address: string) => this.#form.useAddress(address)}
          ></kleinbild-catalog>
        </section>
        <div class="own">
          <section aria-labelledby="load">
            <h2 id="load">Load a model</h2>
            <kleinbild-model-form .studio=${studio} .load=${this.#load}></kleinbild-model-form>
          </section>
          <section aria-labelledby="stored">
            <h2 id="stored">Stored models</h2>
            <kleinbild-stored-models
              .studio=${studio}
              .library=${this.#library}
              .load=${this.#load}
              .onResume=${() => void this.#form.showActions()}
            ></kleinbild-stored-models>
          </section>
        </div>
      </div>
    `;
  }

  get #form(): KleinbildModelForm {
    return this.renderRoot.querySelector<KleinbildModelForm>("kleinbild-model-form")!;
  }
}

customElements.define("kleinbild-models", KleinbildModels);
