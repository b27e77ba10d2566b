import { css, html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { timeLeft } from "../state/format.ts";
import type { Stage } from "../state/progress.ts";
import { base } from "../style/base.ts";

const TICK_MS = 1000;

/** What is being done, how far it is and how long it will take; the time goes down between the events too. */
class KleinbildRunProgress extends LitElement {
  static override properties = { stage: { attribute: false } };
  declare stage: Stage;
  #since = 0;
  #timer: number | undefined;

  static override styles = [
    base,
    css`
      :host {
        display: grid;
        gap: 0.4rem;
      }

      p {
        display: flex;
        flex-wrap: wrap;
        gap: 0 0.75rem;
        justify-content: space-between;
        font-size: 0.9375rem;
        font-variant-numeric: tabular-nums;
      }

      span + span {
        color: var(--soft);
      }
    `,
  ];

  override connectedCallback(): void {
    super.connectedCallback();
    this.#timer = window.setInterval(() => this.requestUpdate(), TICK_MS);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.clearInterval(this.#timer);
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("stage")) this.#since = performance.now();
  }

  protected override render(): TemplateResult {
    const { status, done, of, note, leftMs } = this.stage;
    const left = leftMs === undefined ? undefined : timeLeft(Math.max(0, leftMs - (performance.now() - this.#since)));
    return html`
      <p>
        <span id="status">${status}</span>
        <span>${note ?? left ?? nothing}</span>
      </p>
      <progress aria-labelledby="status" max=${of} .value=${done}></progress>
    `;
  }
}

customElements.define("kleinbild-run-progress", KleinbildRunProgress);
