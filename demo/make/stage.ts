import { html, nothing, type TemplateResult } from "lit";
import { Columns2, Image, Zap } from "lucide";
import { formatTime } from "../state/format.ts";
import type { Observable } from "../state/observable.ts";
import type { Picture } from "../state/picture.ts";
import type { Job } from "../state/run-queue.ts";
import { StudioElement } from "../state/studio-element.ts";
import type { Studio } from "../state/studio.ts";
import { base } from "../style/base.ts";
import { icon } from "../style/icon.ts";
import "./compare.ts";
import { failureOf } from "./failure.ts";
import "./frame.ts";
import { keepFocus } from "./keep-focus.ts";
import { ObjectUrls } from "./object-urls.ts";
import "./picture-panel.ts";
import "./preview.ts";
import { queueList } from "./queue-list.ts";
import { resultChoice } from "./result-choice.ts";
import "./run-progress.ts";
import { nameOf, outcome, reuse } from "./sentences.ts";
import { SpokenStatus } from "./spoken-status.ts";
import { stageStyle } from "./stage-style.ts";
import { type StageView, stageView } from "./stage-view.ts";

/** What is looked at: a picture, or how far the next one is. */
class KleinbildStage extends StudioElement {
  static override properties = {
    ...StudioElement.properties,
    comparing: { state: true },
    compareWith: { state: true },
  };
  declare comparing: boolean;
  /** Which of the picture's references, from 0. */
  declare compareWith: number;
  readonly #urls = new ObjectUrls();
  readonly #spoken = new SpokenStatus();
  #view: StageView | undefined;
  /** The picture before, shown until there is something of the next one. */
  #before: Picture | undefined;

  static override styles = [base, stageStyle];

  constructor() {
    super();
    this.comparing = false;
    this.compareWith = 0;
    keepFocus(this, "section");
  }

  protected observed(studio: Studio): readonly Observable[] {
    return [studio, studio.queue, studio.session];
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#urls.retain([]);
  }

  protected override willUpdate(): void {
    const view = stageView(this.studio);
    this.#before = view.picture ?? (view.running ? this.#before : undefined);
    this.#speak(view);
    this.#view = view;
    const pictures = [...view.results, ...(this.#before ? [this.#before] : [])];
    this.#urls.retain(pictures.flatMap(({ file, references }) => [file, ...references.map(({ file }) => file)]));
  }

  protected override render(): TemplateResult {
    const view = this.#view!;
    const { picture, running, size, results } = view;
    const panel = picture ?? this.#before;
    const isPast = !picture && !running?.order.live;
    return html`
      <section aria-label="Picture" tabindex="-1">
        <kleinbild-frame .size=${size}>${this.#content(view)}</kleinbild-frame>
        <p class="visually-hidden" role="status">${this.#spoken.text}</p>
        <div class="below">
          ${this.#progress(view)} ${view.stage ? nothing : failureOf(this.studio, view.over)}
          ${picture && this.#caption(picture)}
        </div>
        ${resultChoice(results, picture, this.#urls, (picture) => this.studio.show(picture))}
        <div class="panel" ?inert=${isPast}>
          ${
            panel
              ? html`<kleinbild-picture-panel
                  class=${isPast ? "past" : ""}
                  .studio=${this.studio}
                  .picture=${panel}
                  url=${this.#urls.of(panel.file)}
                ></kleinbild-picture-panel>`
              : nothing
          }
        </div>
        ${queueList(this.studio.queue)}
      </section>
    `;
  }

  #content({ picture, preview, running, over }: StageView): TemplateResult {
    const before = this.#before;
    const alt = picture ? nameOf(picture.metadata.prompt) : "";
    const reference = picture && this.#reference(picture);
    if (picture && reference && this.comparing)
      return html`<kleinbild-compare
        before-url=${this.#urls.of(reference.file)}
        after-url=${this.#urls.of(picture.file)}
        before-alt=${reference.name}
        after-alt=${alt}
      ></kleinbild-compare>`;
    if (picture) return html`<img src=${this.#urls.of(picture.file)} alt=${alt} />`;
    if (preview) return html`<kleinbild-preview .image=${preview}></kleinbild-preview>`;
    if (running && before)
      return html`<img class=${running.order.live ? "" : "past"} src=${this.#urls.of(before.file)} alt="" />`;
    return html`<div class="empty">
      ${icon(Image, 32)} ${running || over ? nothing : "Your picture appears here."}
    </div>`;
  }

  #progress({ picture, preview, stage }: StageView): TemplateResult | typeof nothing {
    if (!stage) return nothing;
    return html`
      <div class="progress">
        ${picture && preview ? html`<kleinbild-preview .image=${preview}></kleinbild-preview>` : nothing}
        <kleinbild-run-progress .stage=${stage}></kleinbild-run-progress>
      </div>
    `;
  }

  #caption(picture: Picture): TemplateResult {
    const { metadata, report, references } = picture;
    const { total } = report.timings;
    const reused = reuse(picture);
    const chosen = this.#reference(picture);
    return html`
      <div class="caption">
        <p class="soft">
          <span>${metadata.width} × ${metadata.height}</span> <span>seed ${report.seed}</span>
          ${total === undefined ? nothing : html`<span>${formatTime(total)}</span>`}
        </p>
        ${
          chosen
            ? html`<button
                type="button"
                class="small"
                aria-pressed=${this.comparing}
                @click=${() => (this.comparing = !this.comparing)}
              >
                ${icon(Columns2)} Compare
              </button>`
            : nothing
        }
      </div>
      ${
        this.comparing && references.length > 1
          ? html`<div class="field">
              <label for="reference">Compare with</label>
              <select
                id="reference"
                @change=${(event: Event) => (this.compareWith = (event.target as HTMLSelectElement).selectedIndex)}
              >
                ${references.map(
                  (reference, index) =>
                    html`<option ?selected=${reference === chosen}>image ${index + 1}: ${reference.name}</option>`,
                )}
              </select>
            </div>`
          : nothing
      }
      ${
        reused === undefined
          ? nothing
          : html`<p class="reused">
              <span class="badge" title=${REUSED_HINT}>${icon(Zap, 14)} ${reused}</span>
              <span class="hint">${REUSED_HINT}</span>
            </p>`
      }
    `;
  }

  #reference({ references }: Picture): Picture["references"][number] | undefined {
    return references[this.compareWith] ?? references[0];
  }

  #speak({ stage }: StageView): void {
    const now = performance.now();
    const { queue, session } = this.studio;
    if (stage) this.#spoken.progress(stage.status, now);
    else if (this.#view?.running) this.#spoken.end(ending(queue.latest), now);
    else if (this.#view?.stage) this.#spoken.end(session.state.status === "ready" ? "The model is ready." : "", now);
  }
}

const REUSED_HINT = "The model had read these references before, so only the steps were computed.";

/** Failures speak as alerts. */
function ending(job: Job | undefined): string {
  return job && job.status !== "failed" ? outcome(job) : "";
}

customElements.define("kleinbild-stage", KleinbildStage);
