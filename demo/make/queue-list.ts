import { html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { X } from "lucide";
import type { RunQueue } from "../state/run-queue.ts";
import { icon } from "../style/icon.ts";
import { nameOf } from "./sentences.ts";

/** The requests that wait for their turn. */
export function queueList(queue: RunQueue): TemplateResult | typeof nothing {
  const waiting = queue.pending.filter(({ status }) => status === "waiting");
  if (waiting.length === 0) return nothing;
  return html`
    <div class="queue">
      <h2 id="queue">Queue</h2>
      <ol aria-labelledby="queue">
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
    </div>
  `;
}
