import { css, html, nothing, type TemplateResult } from "lit";
import { FolderOpen, Link } from "lucide";
import { KLEIN_NANO, type ModelChoice } from "../state/engine-session.ts";
import { formatBytes } from "../state/format.ts";
import type { Observable } from "../state/observable.ts";
import type { Studio } from "../state/studio.ts";
import { StudioElement } from "../state/studio-element.ts";
import { base } from "../style/base.ts";
import { icon } from "../style/icon.ts";
import { CATALOG, type CatalogEntry, FILE_BYTES, gpuNeeds } from "./catalog.ts";

/** The models there are: those of this site, which open at a press, and those that their publisher gives. */
export class KleinbildCatalog extends StudioElement {
  static override properties = { choices: { attribute: false }, onAddress: { attribute: false } };
  /** Models of this site besides klein-nano. */
  declare choices: readonly ModelChoice[];
  /** Is given the address of a model that the user wants to load. */
  declare onAddress: (address: string) => void;

  static override styles = [
    base,
    css`
      .cards {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(min(100%, 19rem), 1fr));
        gap: var(--gap);
      }
      .card {
        display: flex;
        flex-direction: column;
        gap: 0.6rem;
        min-width: 0;
      }
      .card > .row {
        margin-top: auto;
        min-height: 2.5rem;
      }
      .about {
        font-size: 0.9375rem;
      }
    `,
  ];

  protected observed({ session }: Studio): readonly Observable[] {
    return [session, this.studio];
  }

  override render(): TemplateResult {
    return html`
      <ul class="cards">
        ${[KLEIN_NANO, ...this.choices].map((choice) => this.#ownCard(choice))}
        ${CATALOG.map((entry) => this.#card(entry))}
      </ul>
    `;
  }

  #ownCard(choice: ModelChoice): TemplateResult {
    const { session, support } = this.studio;
    const isChosen = session.choice.id === choice.id;
    const isOpen = isChosen && session.state.status === "ready";
    const isLoading = isChosen && session.state.status === "loading";
    const isBundled = choice.id === KLEIN_NANO.id;
    return html`
      <li class="card">
        <h3 id=${choice.id}>${choice.name}</h3>
        <p class="about">
          ${
            isBundled
              ? "A miniature for seeing the whole path work: draws and edits 129 everyday things of 128 pixels, in 4 steps. Comes with this page."
              : "The miniature that klein-nano was distilled from: takes guidance and a negative prompt. Is on this site."
          }
        </p>
        <dl class="facts">
          <div>
            <dt>Files</dt>
            <dd>${formatBytes(OWN_BYTES)}</dd>
          </div>
          <div>
            <dt>Licence</dt>
            <dd>Apache-2.0</dd>
          </div>
          <div>
            <dt>GPU memory</dt>
            <dd>about 100 MiB; any adapter will do</dd>
          </div>
        </dl>
        <div class="row">
          ${
            isOpen
              ? html`<p class="badge">Open</p>`
              : html`<button
                  type="button"
                  ?disabled=${isLoading || support?.supported === false}
                  aria-describedby=${choice.id}
                  @click=${() => void this.studio.openModel(choice)}
                >
                  ${icon(FolderOpen)} ${isLoading ? "Opening…" : "Open"}
                </button>`
          }
        </div>
      </li>
    `;
  }

  #card({ name, about, size, license, repository, gated }: CatalogEntry): TemplateResult {
    const { support } = this.studio;
    const { none, q8, q4 } = gpuNeeds(size, support?.supported ? support.adapter : undefined);
    const id = name.replaceAll(" ", "-");
    return html`
      <li class="card">
        <h3 id=${id}>${name}</h3>
        <p class="about">${about}</p>
        <dl class="facts">
          <div>
            <dt>Files</dt>
            <dd>about ${formatBytes(FILE_BYTES[size])} in 16 bits; FP8 and GGUF are smaller</dd>
          </div>
          <div>
            <dt>Licence</dt>
            <dd><a href=${license.url} target="_blank" rel="noopener noreferrer">${license.name}</a></dd>
          </div>
          <div>
            <dt>GPU memory</dt>
            <dd>
              about ${formatBytes(none.peakBytes)}; ${formatBytes(q8.peakBytes)} in 8 bits, ${formatBytes(q4.peakBytes)}
              in 4 bits (1024 × 1024)
            </dd>
          </div>
          <div>
            <dt>With a budget</dt>
            <dd>
              from ${formatBytes(none.leastBytes)}, ${formatBytes(q8.leastBytes)}, ${formatBytes(q4.leastBytes)}: parts
              are loaded for their stage
            </dd>
          </div>
          <div>
            <dt>Published at</dt>
            <dd>
              <a href=${repository} target="_blank" rel="noopener noreferrer"
                >${new URL(repository).pathname.slice(1)}<span class="visually-hidden">
                  (Hugging Face, new tab)</span
                ></a
              >
            </dd>
          </div>
        </dl>
        ${
          gated
            ? html`<p class="hint">
                Sign in there and accept the licence to download it; then choose its files below.
              </p>`
            : nothing
        }
        <div class="row">
          ${
            gated
              ? nothing
              : html`<button type="button" aria-describedby=${id} @click=${() => this.onAddress(repository)}>
                  ${icon(Link)} Fill in its address
                </button>`
          }
        </div>
      </li>
    `;
  }
}

/** Of klein-nano as of klein-nano-base. */
const OWN_BYTES = 26_100_000;

customElements.define("kleinbild-catalog", KleinbildCatalog);
