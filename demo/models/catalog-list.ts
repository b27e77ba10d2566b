import { css, html, nothing, type TemplateResult } from "lit";
import { FolderOpen, Link } from "lucide";
import { KLEIN_NANO } from "../state/engine-session.ts";
import { formatBytes } from "../state/format.ts";
import type { Observable } from "../state/observable.ts";
import type { Studio } from "../state/studio.ts";
import { StudioElement } from "../state/studio-element.ts";
import type { ModelChoice } from "../studio-types.ts";
import { base } from "../style/base.ts";
import { icon } from "../style/icon.ts";
import { CATALOG, type CatalogEntry, FILE_BYTES, type GpuNeeds, gpuNeeds } from "./catalog.ts";

/** The models there are: those of this site, which open at a press, and those that their publisher gives. */
class KleinbildCatalog extends StudioElement {
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
        padding-top: 0.25rem;
        min-height: 2.5rem;
      }
      .about {
        font-size: 0.9375rem;
      }
      p {
        text-wrap: pretty;
        overflow-wrap: anywhere;
      }
      table {
        width: 100%;
        margin: 0.5rem 0;
        border-collapse: collapse;
        font-size: 0.8125rem;
        font-variant-numeric: tabular-nums;
      }
      th {
        font-weight: 400;
        text-align: start;
        color: var(--soft);
      }
      th,
      td {
        padding: 0.2rem 0.5rem 0.2rem 0;
        border-bottom: 1px solid var(--line);
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
    const about = MINIATURES[choice.id];
    return html`
      <li class="card">
        <h3 id=${choice.id}>${choice.name}</h3>
        ${
          about === undefined
            ? nothing
            : html`<p class="about">${about}</p>
                <p class="hint">
                  ${formatBytes(OWN_BYTES)} of files, Apache-2.0, about ${formatBytes(OWN_GPU_BYTES)} of GPU memory
                </p>`
        }
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
    const needs = gpuNeeds(size, support?.supported ? support.adapter : undefined);
    const id = name.replaceAll(" ", "-");
    return html`
      <li class="card">
        <h3 id=${id}>${name}</h3>
        <p class="about">${about}</p>
        <p class="hint">
          about ${formatBytes(FILE_BYTES[size])} of files in 16 bits, less in FP8 or GGUF;
          <a href=${license.url} target="_blank" rel="noopener noreferrer"
            >${license.name}<span class="visually-hidden"> (new tab)</span></a
          >; GPU memory from about ${formatBytes(needs.q4.leastBytes)}
        </p>
        <details>
          <summary aria-describedby=${id}>What it takes</summary>
          ${needsTable(needs, support?.supported === true && !support.adapter.f16)}
          <p class="hint">
            For 1024 × 1024. With a memory budget, parts of the model are on the GPU for their stage only, which takes
            longer.
          </p>
        </details>
        <p class="hint">
          Published at
          <a href=${repository} target="_blank" rel="noopener noreferrer"
            >${new URL(repository).pathname.slice(1)}<span class="visually-hidden"> (Hugging Face, new tab)</span></a
          >${gated ? ": sign in there and accept the licence to download it, then choose its files below." : "."}
        </p>
        ${
          gated
            ? nothing
            : html`<div class="row">
                <button type="button" aria-describedby=${id} @click=${() => this.onAddress(repository)}>
                  ${icon(Link)} Fill in its address
                </button>
              </div>`
        }
      </li>
    `;
  }
}

function needsTable({ none, q8, q4 }: GpuNeeds, isF32: boolean): TemplateResult {
  const cell = (bytes: number): TemplateResult => html`<td>${formatBytes(bytes)}</td>`;
  return html`
    <table>
      <caption class="visually-hidden">
        GPU memory by quantization, about
      </caption>
      <thead>
        <tr>
          <td></td>
          <th scope="col">${isF32 ? "f32" : "16 bits"}</th>
          <th scope="col">8 bits</th>
          <th scope="col">4 bits</th>
        </tr>
      </thead>
      <tbody>
        <tr>
          <th scope="row">GPU memory, about</th>
          ${[none, q8, q4].map(({ peakBytes }) => cell(peakBytes))}
        </tr>
        <tr>
          <th scope="row">with a budget, from</th>
          ${[none, q8, q4].map(({ leastBytes }) => cell(leastBytes))}
        </tr>
      </tbody>
    </table>
  `;
}

/** What they are for, by id; a page may offer others, of which it is not known. */
const MINIATURES: Readonly<Record<string, string>> = {
  "klein-nano":
    "A miniature for seeing the whole path work: draws and edits 129 everyday things of 128 pixels, in 4 steps. Comes with this page.",
  "klein-nano-base":
    "The miniature that klein-nano was distilled from: takes guidance and a negative prompt. Is on this site.",
};
/** Of each miniature. */
const OWN_BYTES = 26_100_000;
const OWN_GPU_BYTES = 50 * 2 ** 20;

customElements.define("kleinbild-catalog", KleinbildCatalog);
