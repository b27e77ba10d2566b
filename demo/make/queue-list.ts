import { css, html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { X } from "lucide";
import type { Observable } from "../state/observable.ts";
import { StudioElement } from "../state/studio-element.ts";
import type { Studio } from "../state/studio.ts";
import { base } from "../style/base.ts";
import { icon } from "../style/icon.ts";
import { keepFocus } from "./keep-focus.ts";
import { nameOf } from "./sentences.ts";

/** The requests that wait for their turn. */
export class KleinbildQueueList extends StudioElement {
  static override styles = [
    base,
    css`
      section {
        display: grid;
        gap: 0.25rem;
      }

      li {
        display: flex;
        gap: 0.75rem;
        align-items: center;
        justify-content: space-between;
        border-top: 1px solid var(--line);
        padding-top: 0.25rem;
      }

      li span {
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
        font-size: 0.9375rem;
      }

      button {
        flex: none;
      }
    `,
  ];

  constructor() {
    super();
    keepFocus(this, "h3");
  }

  protected observed({ queue }: Studio): readonly Observable[] {
    return [queue];
  }

  protected override render(): TemplateResult | typeof nothing {
    const { queue } = this.studio;
    const waiting = queue.pending.filter(({ status }) => status === "waiting");
    if (waiting.length === 0) return nothing;
    return html`
      <section aria-labelledby="title">
        <h3 id="title" tabindex="-1">Queue</h3>
        <ol>
          ${repeat(
            waiting,
            ({ id }) => id,
            ({ id, order }) => html`
              <li>
                <span>${nameOf(order.prompt)}</span>
                <button
                  type="button"
                  class="small quiet"
                  aria-label="Remove “${nameOf(order.prompt)}” from the queue"
                  @click=${() => queue.cancel(id)}
                >
                  ${icon(X)} Remove
                </button>
              </li>
            `,
          )}
        </ol>
      </section>
    `;
  }
}

customElements.define("kleinbild-queue-list", KleinbildQueueList);
