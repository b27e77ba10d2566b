import { html, nothing, type TemplateResult } from "lit";
import { createRef, ref } from "lit/directives/ref.js";
import { ClipboardCopy, Download, FileDiff, Play, X } from "lucide";
import { type BenchmarkOptions, comparisonMarkdown, reportMarkdown } from "../../bench/index.ts";
import { messageOf } from "../state/notices.ts";
import type { Observable } from "../state/observable.ts";
import { StudioElement } from "../state/studio-element.ts";
import { base } from "../style/base.ts";
import { icon } from "../style/icon.ts";
import { BenchmarkRun } from "./benchmark-run.ts";
import { choiceOf } from "./choice.ts";
import { compareWithFile, comparisonTemplate, type SavedComparison } from "./comparison.ts";
import { fieldsTemplate } from "./fields.ts";
import { caseTemplate } from "./results.ts";
import { saveText } from "./save-text.ts";
import { STYLES } from "./styles.ts";
import { TABLES } from "./tables.ts";

/** The benchmark's cases, run in the page: choose, run, look, save and compare. */
class KleinbildBenchmark extends StudioElement {
  static override properties = {
    ...StudioElement.properties,
    baseModel: { attribute: false },
    saved: { state: true },
    fileProblem: { state: true },
  };
  /** Of klein-nano-base; without it the cases that need it are not offered. */
  declare baseModel: BenchmarkOptions["baseModel"];
  declare saved: SavedComparison | undefined;
  declare fileProblem: string;
  readonly #runButton = createRef<HTMLButtonElement>();
  readonly #cancelButton = createRef<HTMLButtonElement>();
  readonly #fileInput = createRef<HTMLInputElement>();
  #run: BenchmarkRun | undefined;
  #wasRunning = false;

  static override styles = [base, STYLES, TABLES];

  constructor() {
    super();
    this.fileProblem = "";
  }

  override connectedCallback(): void {
    this.#run ??= new BenchmarkRun(this.studio);
    super.connectedCallback();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#run?.cancel();
  }

  protected override observed(): readonly Observable[] {
    return [this.#run!];
  }

  /** The button that was pressed goes out of use, so the focus goes to the other one. */
  protected override updated(): void {
    const { running } = this.#run!;
    if (running === this.#wasRunning) return;
    this.#wasRunning = running;
    const [from, to] = running ? [this.#runButton, this.#cancelButton] : [this.#cancelButton, this.#runButton];
    if (this.shadowRoot?.activeElement === from.value) to.value?.focus();
  }

  protected override render(): TemplateResult {
    return html`
      <section aria-labelledby="benchmark">
        <div>
          <h2 id="benchmark">Benchmark</h2>
          <p class="hint">
            What is right by its definition is timed, one implementation after the other in each round. A figure is a
            median with its quartiles.
          </p>
        </div>
        ${this.#form()} ${this.#progress()}
      </section>
      ${this.#results()}
    `;
  }

  #form(): TemplateResult {
    return html`
      <form @submit=${this.#submit}>
        ${fieldsTemplate(this.baseModel !== undefined)}
        <p class="hint">
          The studio's model is closed before, since it would be measured as well. The next picture opens it again; make
          none meanwhile.
        </p>
        <div class="row">
          <button class="primary" ?disabled=${this.#run!.running} ${ref(this.#runButton)}>
            ${icon(Play)} Run benchmark
          </button>
          <button type="button" ?disabled=${!this.#run!.running} @click=${this.#cancel} ${ref(this.#cancelButton)}>
            ${icon(X)} Cancel
          </button>
        </div>
      </form>
    `;
  }

  #progress(): TemplateResult {
    const { running, progress, status, problem } = this.#run!;
    return html`
      <div class="progress">
        <p class="status" role="status">${status}</p>
        <progress
          aria-label="Cases that are done"
          max=${progress.of}
          .value=${progress.done}
          class=${running ? "" : "unused"}
        ></progress>
        ${problem ? html`<p class="notice" role="alert">${problem}</p>` : nothing}
      </div>
    `;
  }

  #results(): TemplateResult {
    const { cases, report } = this.#run!;
    return html`
      <section aria-labelledby="results">
        <h2 id="results">Results</h2>
        <div class="row">
          <button ?disabled=${!report} @click=${this.#save}>${icon(Download)} Save JSON</button>
          <button ?disabled=${!report} @click=${this.#copy}>${icon(ClipboardCopy)} Copy as Markdown</button>
          <button ?disabled=${!report} @click=${() => this.#fileInput.value?.click()}>
            ${icon(FileDiff)} Compare with a saved report…
          </button>
          <input
            type="file"
            accept=".json,application/json"
            aria-label="Saved report"
            hidden
            @change=${this.#compare}
            ${ref(this.#fileInput)}
          />
        </div>
        ${this.fileProblem ? html`<p class="notice" role="alert">${this.fileProblem}</p>` : nothing}
        ${cases.length === 0 ? html`<p class="hint">They appear here as they are measured.</p>` : nothing}
        ${cases.map(caseTemplate)} ${this.#comparison()}
      </section>
    `;
  }

  #comparison(): TemplateResult | typeof nothing {
    const { saved } = this;
    if (!saved) return nothing;
    return html`
      <section class="card" aria-labelledby="comparison">
        <h3 id="comparison" tabindex="-1">Comparison</h3>
        ${comparisonTemplate(saved)}
        <div class="row">
          <button @click=${() => this.#copyText("The comparison", comparisonMarkdown(saved.comparison))}>
            ${icon(ClipboardCopy)} Copy comparison as Markdown
          </button>
        </div>
      </section>
    `;
  }

  readonly #submit = (event: SubmitEvent): void => {
    event.preventDefault();
    this.saved = undefined;
    this.fileProblem = "";
    const { baseModel } = this;
    void this.#run!.start({ ...choiceOf(new FormData(event.target as HTMLFormElement)), baseModel });
  };

  readonly #cancel = (): void => this.#run!.cancel();

  readonly #save = (): void => {
    const { report } = this.#run!;
    if (!report) return;
    const name = `kleinbild-benchmark-${report.date.slice(0, 10)}.json`;
    saveText(name, `${JSON.stringify(report, null, 2)}\n`, "application/json");
  };

  readonly #copy = (): void => {
    const { report } = this.#run!;
    if (report) void this.#copyText("The report", reportMarkdown(report));
  };

  async #copyText(what: string, text: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      this.studio.notices.info(`${what} is copied as Markdown.`);
    } catch (cause) {
      this.studio.notices.error(new Error(`${what} could not be copied: the browser refused it.`, { cause }));
    }
  }

  readonly #compare = async (event: Event): Promise<void> => {
    const input = event.target as HTMLInputElement;
    const [file] = input.files ?? [];
    input.value = ""; // so that the same file can be chosen again
    const { report } = this.#run!;
    if (!file || !report) return;
    this.fileProblem = "";
    try {
      this.saved = await compareWithFile(file, report);
      await this.updateComplete;
      this.renderRoot.querySelector<HTMLElement>("#comparison")?.focus();
    } catch (error) {
      this.fileProblem = messageOf(error);
    }
  };
}

customElements.define("kleinbild-benchmark", KleinbildBenchmark);
