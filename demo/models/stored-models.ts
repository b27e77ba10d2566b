import { css, html, nothing, type TemplateResult } from "lit";
import { FolderOpen, Play, ShieldCheck, Trash2 } from "lucide";
import { factList } from "../facts.ts";
import { formatBytes, formatDate } from "../state/format.ts";
import type { Observable } from "../state/observable.ts";
import type { Studio } from "../state/studio.ts";
import { StudioElement } from "../state/studio-element.ts";
import { base } from "../style/base.ts";
import { icon } from "../style/icon.ts";
import type { Entry, Library, Verification } from "./library.ts";
import type { ModelLoad } from "./model-load.ts";
import { requestOf, storedChoice } from "./model-request.ts";
import { failureText } from "./words.ts";

/** The models that this device keeps, and the room that they take. */
class KleinbildStoredModels extends StudioElement {
  static override properties = {
    library: { attribute: false },
    load: { attribute: false },
    onResume: { attribute: false },
    doubted: { state: true },
    persistence: { state: true },
  };
  declare library: Library;
  declare load: ModelLoad;
  /** Is called when a download goes on from here. */
  declare onResume: () => void;
  /** Id of the model that is deleted when the user says so again. */
  declare doubted: string | undefined;
  /** What the browser said when it was asked to keep what is stored. */
  declare persistence: string;

  static override styles = [
    base,
    css`
      :host {
        display: grid;
        gap: var(--gap);
      }
      .models {
        display: grid;
        gap: 0.75rem;
      }
      .models li {
        display: grid;
        gap: 0.5rem;
      }
      .name {
        overflow-wrap: anywhere;
      }
      .storage {
        display: grid;
        gap: 0.5rem;
        justify-items: start;
      }
    `,
  ];

  constructor() {
    super();
    this.doubted = undefined;
    this.persistence = "";
  }

  protected observed({ session }: Studio): readonly Observable[] {
    return [session, this.library, this.load];
  }

  override render(): TemplateResult {
    const { entries, problem } = this.library;
    return html`
      ${problem === undefined ? nothing : html`<p class="notice" role="alert">${failureText(problem)}</p>`}
      ${
        entries === undefined
          ? html`<p class="hint">Looking at what is stored.</p>`
          : entries.length === 0
            ? html`<p id="none" tabindex="-1" class="hint">
                None yet. klein-nano needs none: it is small, and comes with the page.
              </p>`
            : html`<ul id="models" class="models" tabindex="-1" aria-label="Stored models">
                ${entries.map((entry) => this.#item(entry))}
              </ul>`
      }
      ${this.#storage()}
    `;
  }

  #item(entry: Entry): TemplateResult {
    const { id, name, address, complete, bytes, lastUsed } = entry;
    const isOpen = this.#isOpen(id);
    return html`
      <li class="card">
        <div class="row">
          <h3 class="name" id=${id}>${name}</h3>
          ${isOpen ? html`<span class="badge">Open</span>` : nothing}
          ${complete ? nothing : html`<span class="badge">Partly there</span>`}
        </div>
        ${factList([
          ["Size", `${formatBytes(bytes)}${complete ? "" : " in whole files; what is on its way is kept too"}`],
          ["Last used", formatDate(lastUsed)],
          ["From", address],
        ])}
        ${this.doubted === id ? this.#question(entry) : this.#actions(entry, isOpen)}
        <p role="status" class="hint">${verificationText(this.library.verification(id))}</p>
      </li>
    `;
  }

  #actions(entry: Entry, isOpen: boolean): TemplateResult {
    const { id, name, complete } = entry;
    const isVerifying = this.library.verification(id)?.status === "running";
    const isComing = this.load.state.status === "downloading";
    const request = requestOf(entry);
    return html`
      <div class="row">
        ${
          complete
            ? html`<button
                type="button"
                aria-describedby=${id}
                ?disabled=${isOpen || isVerifying}
                @click=${() => void this.studio.openModel(storedChoice(id, name, request?.memoryBudgetBytes))}
              >
                ${icon(FolderOpen)} Open
              </button>`
            : nothing
        }
        ${
          !complete && request
            ? html`<button
                type="button"
                aria-describedby=${id}
                ?disabled=${isComing || isVerifying}
                @click=${() => {
                  void this.load.resume(id, request);
                  this.onResume();
                }}
              >
                ${icon(Play)} Resume
              </button>`
            : nothing
        }
        <button
          type="button"
          aria-describedby=${id}
          ?disabled=${isVerifying || isComing}
          @click=${() => void this.#verify(entry)}
        >
          ${icon(ShieldCheck)} Verify
        </button>
        <button
          type="button"
          aria-describedby=${id}
          ?disabled=${isOpen || isVerifying || isComing}
          @click=${() => this.#doubt(id)}
        >
          ${icon(Trash2)} Delete
        </button>
      </div>
      ${
        !complete && !request
          ? html`<p class="hint">It came from chosen files: choose the same ones again to go on.</p>`
          : nothing
      }
      ${isOpen ? html`<p class="hint">To delete it, open another model first.</p>` : nothing}
    `;
  }

  #question(entry: Entry): TemplateResult {
    return html`
      <div class="row" role="group" aria-labelledby="question">
        <p id="question">Delete it for good, ${formatBytes(entry.bytes)}?</p>
        <button type="button" class="primary" @click=${() => void this.#delete(entry)}>Delete</button>
        <button id="keep" type="button" @click=${() => (this.doubted = undefined)}>Keep it</button>
      </div>
    `;
  }

  #storage(): TemplateResult | typeof nothing {
    const { entries, storage } = this.library;
    if (!entries) return nothing;
    if (!storage) return html`<p class="hint">This browser has no place for models here: they come anew each time.</p>`;
    const { usedBytes, freeBytes, persisted } = storage;
    const free =
      freeBytes === undefined ? "the browser does not tell how much is free" : `${formatBytes(freeBytes)} are free`;
    return html`
      <div class="storage">
        <p>This site uses ${formatBytes(usedBytes)} of this device; ${free}.</p>
        ${
          persisted
            ? html`<p class="hint">The browser promised not to clear it by itself.</p>`
            : html`<p class="hint">The browser may clear it when the device runs short of space.</p>
                <button type="button" @click=${() => void this.#persist()}>Ask the browser to keep it</button>`
        }
        <p class="hint" role="status">${this.persistence}</p>
      </div>
    `;
  }

  #isOpen(id: string): boolean {
    const { session } = this.studio;
    return session.choice.id === `stored:${id}` && session.state.status !== "failed";
  }

  #doubt(id: string): void {
    this.doubted = id;
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>("#keep")?.focus());
  }

  async #verify(entry: Entry): Promise<void> {
    this.#forget(entry.id);
    await this.library.verify(entry);
  }

  async #delete(entry: Entry): Promise<void> {
    this.doubted = undefined;
    this.#forget(entry.id);
    await this.library.remove(entry);
    await this.updateComplete;
    this.renderRoot.querySelector<HTMLElement>("#models, #none")?.focus();
  }

  /** What was found out about it before may not hold any more. */
  #forget(id: string): void {
    if (this.load.storeId === id) this.load.reset();
  }

  async #persist(): Promise<void> {
    const isGranted = await this.library.persist();
    this.persistence = isGranted
      ? ""
      : "The browser did not promise it. It may do so for sites that are used often, bookmarked or installed.";
  }
}

function verificationText(verification: Verification | undefined): string {
  if (!verification) return "";
  switch (verification.status) {
    case "running":
      return "Reading all of it and comparing.";
    case "done": {
      const { damages } = verification;
      if (damages.length === 0) return "All of it is as it came.";
      const files = [...new Set(damages.map(({ path }) => path))].join(", ");
      const pieces = damages.length === 1 ? "1 damaged piece" : `${damages.length} damaged pieces`;
      return `${pieces} in ${files}: taken off the model. “Resume” downloads what is missing.`;
    }
    case "failed":
      return failureText(verification.error);
    default:
      return verification satisfies never;
  }
}

customElements.define("kleinbild-stored-models", KleinbildStoredModels);
