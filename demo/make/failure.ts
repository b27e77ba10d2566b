import { html, nothing, type TemplateResult } from "lit";
import { RotateCcw } from "lucide";
import { messageOf } from "../state/notices.ts";
import type { Job } from "../state/run-queue.ts";
import type { Studio } from "../state/studio.ts";
import { icon } from "../style/icon.ts";
import { isFieldError, outcome } from "./sentences.ts";

/** Why there is no picture, and another try where that may help. @param over  the job that it is about, if any */
export function failureOf(studio: Studio, over: Job | undefined): TemplateResult | typeof nothing {
  const { session, queue } = studio;
  if (over?.status === "cancelled") return html`<p class="soft">${outcome(over)}</p>`;
  if (over?.status === "failed") {
    // the field speaks for itself
    if (isFieldError(over.error)) return html`<p class="notice">${outcome(over)}</p>`;
    return failure(outcome(over), "alert", () => queue.add(over.order));
  }
  const { state, choice } = session;
  if (state.status !== "failed") return nothing;
  // a notice has spoken of it
  return failure(`${choice.name} could not be opened. ${messageOf(state.error)}`, undefined, () =>
    studio.openModel(choice),
  );
}

function failure(text: string, role: "alert" | undefined, again: () => unknown): TemplateResult {
  return html`
    <div class="notice">
      <p role=${role ?? nothing}>${text}</p>
      <button type="button" @click=${again}>${icon(RotateCcw)} Try again</button>
    </div>
  `;
}
