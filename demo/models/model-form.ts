import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import { Download, FolderOpen, Pause, Play, Search, X } from "lucide";
import type { Quantization } from "../../runtime/index.ts";
import { receiveFiles } from "../receive-files.ts";
import type { Observable } from "../state/observable.ts";
import type { Studio } from "../state/studio.ts";
import { StudioElement } from "../state/studio-element.ts";
import { base } from "../style/base.ts";
import { icon } from "../style/icon.ts";
import { droppedFiles } from "./dropped-files.ts";
import { loadFacts, loadProgress, statusOf } from "./load-view.ts";
import { modelFormStyle } from "./model-form-style.ts";
import type { ModelLoad } from "./model-load.ts";
import { readPlaces } from "./model-places.ts";
import { type ModelRequest, nextStep } from "./model-request.ts";
import { describePicked, nameOfPicked, type Picked } from "./picked-files.ts";
import { canMakePictures, failureText } from "./words.ts";

const GB = 1e9;

/** Loads a model from addresses or from picked files: looks at it first, then downloads and opens it. */
export class KleinbildModelForm extends StudioElement {
  static override properties = {
    load: { attribute: false },
    address: { state: true },
    picked: { state: true },
    quantization: { state: true },
    keep: { state: true },
    budget: { state: true },
    problem: { state: true },
  };
  declare load: ModelLoad;
  declare address: string;
  declare picked: Picked | undefined;
  declare quantization: Quantization | undefined;
  declare keep: boolean;
  /** Of GPU memory, in GB; empty: none. */
  declare budget: string;
  declare problem: { readonly field: "address" | "budget"; readonly text: string } | undefined;

  #wasInActions = false;

  static override styles = [base, modelFormStyle];

  constructor() {
    super();
    this.address = "";
    this.picked = undefined;
    this.quantization = undefined;
    this.keep = true;
    this.budget = "";
    this.problem = undefined;
    receiveFiles(this, { onDrop: (_, transfer) => this.#drop(transfer) });
  }

  protected observed({ session }: Studio): readonly Observable[] {
    return [session, this.load];
  }

  /** Fills in an address for the user to go on with. */
  useAddress(address: string): void {
    this.address = address;
    this.picked = undefined;
    this.#changed();
    void this.updateComplete.then(() => this.#field("address").focus());
  }

  /** Brings what is under way into view, after it was begun elsewhere. */
  async showActions(): Promise<void> {
    await this.updateComplete;
    this.#focusActions();
  }

  protected override willUpdate(): void {
    const { activeElement } = this.renderRoot as ShadowRoot;
    this.#wasInActions = Boolean(activeElement?.closest("#actions"));
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has("problem") && this.problem) {
      if (this.problem.field === "budget") this.renderRoot.querySelector<HTMLDetailsElement>("#more")!.open = true;
      this.#field(this.problem.field).focus();
    }
    // the button that was pressed may have given way to another one
    const { activeElement } = this.renderRoot as ShadowRoot;
    if (this.#wasInActions && (!activeElement || activeElement.matches(":disabled"))) this.#focusActions();
  }

  override render(): TemplateResult {
    const isBusy = this.load.state.status === "downloading";
    return html`
      <div class="card drop">
        <fieldset ?disabled=${isBusy}>
          <legend class="visually-hidden">Model to load</legend>
          ${this.picked ? this.#pickedFiles(this.picked) : this.#addressField()}
          <div class="row">
            <button type="button" @click=${() => this.#input("files").click()}>
              ${icon(FolderOpen)} Choose files…
            </button>
            <button type="button" @click=${() => this.#input("folder").click()}>Choose a folder…</button>
            <p class="hint">or drop them here.</p>
          </div>
          <input id="files" type="file" multiple hidden @change=${this.#pick} />
          <input id="folder" type="file" webkitdirectory hidden @change=${this.#pick} />
          ${this.#options()}
        </fieldset>
        <div id="actions" class="row">${this.#buttons()}</div>
        <div class="result">
          <p role="status">${statusOf(this.load, this.studio.session)}</p>
          ${this.#outcome()}
        </div>
      </div>
    `;
  }

  #addressField(): TemplateResult {
    const problem = this.problem?.field === "address" ? this.problem.text : "";
    return html`
      <div class="field">
        <label for="address">Model address</label>
        <textarea
          id="address"
          rows="3"
          spellcheck="false"
          autocomplete="off"
          autocapitalize="off"
          aria-invalid=${problem === "" ? "false" : "true"}
          aria-describedby="address-hint address-error"
          .value=${live(this.address)}
          @input=${(event: InputEvent) => {
            this.address = (event.target as HTMLTextAreaElement).value;
            this.#changed();
          }}
        ></textarea>
        <p id="address-error" class="error">${problem}</p>
        <p id="address-hint" class="hint">
          A folder as diffusers has it, one file with all parts, or several files, one a line: transformer, text
          encoder, autoencoder (safetensors or GGUF) and tokenizer.json. “path = address” says what a file is. Nothing
          is asked of the address before “Check”.
        </p>
      </div>
    `;
  }

  #pickedFiles(picked: Picked): TemplateResult {
    const { amount, names } = describePicked(picked);
    return html`
      <div class="field">
        <p class="label">Chosen files</p>
        <p>${amount}</p>
        <p class="hint">${names}</p>
        <div>
          <button type="button" class="small" @click=${() => this.#choose(undefined)}>
            ${icon(X, 16)} Use an address instead
          </button>
        </div>
      </div>
    `;
  }

  #options(): TemplateResult {
    const problem = this.problem?.field === "budget" ? this.problem.text : "";
    return html`
      <div class="options">
        <div class="field">
          <label for="quantization">Quantization</label>
          <select
            id="quantization"
            @change=${(event: Event) => {
              const { value } = event.target as HTMLSelectElement;
              this.quantization = value === "" ? undefined : (value as Quantization);
              this.#changed();
            }}
          >
            <option value="">As in the files</option>
            <option value="q8">8 bits: half the memory</option>
            <option value="q4">4 bits: a quarter, less exact</option>
          </select>
        </div>
        <label class="check">
          <input
            type="checkbox"
            .checked=${live(this.keep)}
            @change=${(event: Event) => {
              this.keep = (event.target as HTMLInputElement).checked;
              this.#changed();
            }}
          />
          Keep on this device
        </label>
      </div>
      <details id="more">
        <summary>Memory budget</summary>
        <div class="field">
          <label for="budget">Memory budget (GB)</label>
          <input
            id="budget"
            type="number"
            inputmode="decimal"
            min="0.1"
            step="any"
            placeholder="no limit"
            aria-invalid=${problem === "" ? "false" : "true"}
            aria-describedby="budget-hint budget-error"
            .value=${live(this.budget)}
            @input=${(event: InputEvent) => {
              this.budget = (event.target as HTMLInputElement).value;
              this.#changed();
            }}
          />
          <p id="budget-error" class="error">${problem}</p>
          <p id="budget-hint" class="hint">
            The most on the GPU at once. Parts of the model are then there only for their stage of a picture.
          </p>
        </div>
      </details>
    `;
  }

  #buttons(): TemplateResult {
    const { load } = this;
    const { state } = load;
    const check = html`<button type="button" class=${state.status === "idle" ? "primary" : ""} @click=${this.#check}>
      ${icon(Search)} Check
    </button>`;
    const resume = html`<button type="button" class="primary" @click=${() => void load.download()}>
      ${icon(Play)} Resume
    </button>`;
    switch (state.status) {
      case "idle":
      case "checking":
        return check;
      case "checked": {
        if (!canMakePictures(state.availability) || !load.request) return check;
        const step = nextStep(load.request, state.availability);
        if (step === "open") return html`${this.#openButton()}${check}`;
        return html`
          <button type="button" class="primary" @click=${() => void load.download()}>
            ${icon(Download)} ${step === "download" ? "Download" : "Prepare"}
          </button>
          ${check}
        `;
      }
      case "downloading":
        return html`<button type="button" @click=${() => load.pause()}>${icon(Pause)} Pause</button>`;
      case "paused":
        return html`${resume}${check}`;
      case "failed":
        return state.canResume ? html`${resume}${check}` : check;
      case "downloaded":
        return html`${this.#openButton()}${check}`;
      default:
        return state satisfies never;
    }
  }

  #openButton(): TemplateResult {
    const { choice } = this.load;
    const { session } = this.studio;
    const isThis = choice !== undefined && session.choice.id === choice.id;
    const isBusy = isThis && (session.state.status === "loading" || session.state.status === "ready");
    return html`<button
      type="button"
      class="primary"
      ?disabled=${!choice || isBusy}
      @click=${() => choice && void this.studio.openModel(choice)}
    >
      ${icon(FolderOpen)} Open
    </button>`;
  }

  #outcome(): TemplateResult | typeof nothing {
    const { load } = this;
    const { state } = load;
    const { refusal } = this.studio.session;
    if (refusal && refusal.choice.id === load.choice?.id)
      return html`<p class="notice">${failureText(refusal.error)}</p>`;
    if (state.status === "failed") return html`<p class="notice" role="alert">${failureText(state.error)}</p>`;
    if (state.status === "checked" && load.request) return loadFacts(state.availability, load.request);
    if (state.status === "downloading" || state.status === "paused") return loadProgress(state);
    return nothing;
  }

  /** What was looked at is not what the fields say any more. */
  #changed(): void {
    this.problem = undefined;
    if (this.load.state.status !== "downloading") this.load.reset();
  }

  #choose(picked: Picked | undefined): void {
    this.picked = picked;
    this.#changed();
    if (!picked) void this.updateComplete.then(() => this.#field("address").focus());
  }

  readonly #pick = (event: Event): void => {
    const input = event.target as HTMLInputElement;
    const files = [...(input.files ?? [])];
    input.value = ""; // the same files can be chosen again
    if (files.length > 0) this.#choose(files);
  };

  #drop(transfer: DataTransfer): void {
    if (this.load.state.status === "downloading") return;
    void droppedFiles(transfer).then(
      (files) => this.#choose(files),
      (error: unknown) => this.studio.notices.error(error),
    );
  }

  readonly #check = (): void => {
    const request = this.#request();
    const { dtype, backend } = this.studio.settings.fields;
    if (request) void this.load.check(request, { dtype, backend });
  };

  /** What the fields say; undefined when one of them is wrong, which is said beside it then. */
  #request(): ModelRequest | undefined {
    const { picked, quantization, keep, budget } = this;
    const memoryBudgetBytes = budget === "" ? undefined : Math.round(Number(budget) * GB);
    if (memoryBudgetBytes !== undefined && !(memoryBudgetBytes > 0)) {
      this.problem = { field: "budget", text: "A number above 0 was expected, or none." };
      return undefined;
    }
    const options = { quantization, keep, memoryBudgetBytes };
    if (picked) return { input: picked, name: nameOfPicked(picked), ...options };
    const places = readPlaces(this.address, document.baseURI);
    if ("problem" in places) {
      this.problem = { field: "address", text: places.problem };
      return undefined;
    }
    return { ...places, ...options };
  }

  #focusActions(): void {
    this.renderRoot.querySelector<HTMLElement>("#actions button:enabled")?.focus();
  }

  #field(id: "address" | "budget"): HTMLElement {
    return this.renderRoot.querySelector<HTMLElement>(`#${id}`)!;
  }

  #input(id: "files" | "folder"): HTMLInputElement {
    return this.renderRoot.querySelector<HTMLInputElement>(`#${id}`)!;
  }
}

customElements.define("kleinbild-model-form", KleinbildModelForm);
