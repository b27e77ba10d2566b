import { css, html, nothing, type TemplateResult } from "lit";
import { KLEIN_NANO } from "../state/engine-session.ts";
import type { Observable } from "../state/observable.ts";
import { loadStage } from "../state/progress.ts";
import type { Studio } from "../state/studio.ts";
import { StudioElement } from "../state/studio-element.ts";
import { base } from "../style/base.ts";
import { adapterSentences, whereSentence } from "./adapter-words.ts";
import { failureText, trainingText } from "./words.ts";

/** Which model is open or on its way, what became of the last attempt, and what the adapter can run. */
class KleinbildOpenModel extends StudioElement {
  static override styles = [
    base,
    css`
      :host {
        container-type: inline-size;
      }
      .both {
        display: grid;
        gap: var(--gap);
        align-items: start;
      }
      @container (min-width: 48rem) {
        .both {
          grid-template-columns: minmax(0, 1fr) minmax(0, 1fr);
        }
      }
      .card {
        display: grid;
        gap: 0.5rem;
        align-content: start;
        min-height: 7.5rem;
      }
      .name {
        font-weight: 600;
      }
      ul {
        display: grid;
        gap: 0.25rem;
        margin-top: 0.35rem;
      }
    `,
  ];

  protected observed({ session }: Studio): readonly Observable[] {
    return [session, this.studio];
  }

  override render(): TemplateResult {
    const { support, session } = this.studio;
    return html`
      <div class="both">
        <div class="card">
          <p class="name" role="status">${this.#status()}</p>
          ${this.#progress()}
          ${
            session.refusal
              ? html`<div class="notice">
                  <p>${session.refusal.choice.name} could not be opened. ${failureText(session.refusal.error)}</p>
                </div>`
              : nothing
          }
          ${
            session.state.status === "failed"
              ? html`<div class="row">
                  <button type="button" @click=${() => void this.studio.openModel(session.choice)}>Try again</button>
                  <button type="button" @click=${() => void this.studio.openModel(KLEIN_NANO)}>Open klein-nano</button>
                </div>`
              : nothing
          }
        </div>
        <div>
          <p>${whereSentence(support, session.info?.dtype)}</p>
          ${
            support?.supported
              ? html`<ul class="hint">
                  ${adapterSentences(support.adapter).map((sentence) => html`<li>${sentence}</li>`)}
                </ul>`
              : nothing
          }
        </div>
      </div>
    `;
  }

  #status(): string {
    const { support, session } = this.studio;
    const { state, choice } = session;
    switch (state.status) {
      case "ready":
        return `${choice.name} is open: ${trainingText(state.info.model)}.`;
      case "loading":
        return `${choice.name} is being loaded.`;
      case "closed":
        return support?.supported === false ? "No model is open." : `${choice.name} is opened when it is needed.`;
      case "failed":
        return "No model is open.";
      default:
        return state satisfies never;
    }
  }

  #progress(): TemplateResult | typeof nothing {
    const { state } = this.studio.session;
    if (state.status !== "loading") return nothing;
    if (!state.progress) return html`<progress aria-label="Loading the model"></progress>`;
    const { status, note, done, of } = loadStage(state.progress);
    return html`
      <progress aria-label="Loading the model" max=${of} .value=${done}></progress>
      <p class="hint">${status}: ${note}</p>
    `;
  }
}

customElements.define("kleinbild-open-model", KleinbildOpenModel);
