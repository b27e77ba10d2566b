import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { observe } from "../state/observable.ts";
import type { Offline } from "./offline.ts";

/** Offers a new version of the page, when there is one. It is taken only by who asks for it. */
export class KleinbildUpdate extends LitElement {
  static override properties = { offline: { attribute: false } };
  static override styles = css`
    :host {
      position: fixed;
      inset: auto 1rem 1rem auto;
      z-index: 10;
      max-width: calc(100vw - 2rem);
    }
    .offer {
      display: flex;
      flex-wrap: wrap;
      gap: 0.75rem;
      align-items: center;
      padding: 0.75rem 1rem;
      border: 1px solid GrayText;
      border-radius: 0.75rem;
      color: CanvasText;
      background: Canvas;
    }
    p {
      margin: 0;
    }
    button {
      min-height: 2rem;
      padding: 0 0.75rem;
      font: inherit;
    }
  `;

  /** Set once, before the component is on the page. */
  declare offline: Offline;
  /** Later means with the next visit. */
  #later = false;

  constructor() {
    super();
    observe(this, () => [this.offline]);
  }

  protected override render(): TemplateResult {
    const offered = this.offline.state === "update-waiting" && !this.#later;
    // the live region must be there before its words are
    return html`<div role="status">${offered ? this.#offer() : nothing}</div>`;
  }

  #offer(): TemplateResult {
    return html`<div class="offer">
      <p>A new version is ready.</p>
      <button type="button" @click=${() => this.offline.apply()}>Update</button>
      <button type="button" @click=${this.#postpone}>Later</button>
    </div>`;
  }

  readonly #postpone = (): void => {
    this.#later = true;
    this.requestUpdate();
  };
}

customElements.define("kleinbild-update", KleinbildUpdate);

declare global {
  interface HTMLElementTagNameMap {
    "kleinbild-update": KleinbildUpdate;
  }
}
