import { html, LitElement, nothing, type TemplateResult } from "lit";
import "./make/composer.ts";
import "./make/gallery.ts";
import "./make/stage.ts";
import { meansCancel } from "./meant-for.ts";
import { adapterName } from "./models/adapter-words.ts";
import "./models/engine.ts";
import "./notices.ts";
import { receiveFiles } from "./receive-files.ts";
import { KLEIN_NANO } from "./state/engine-session.ts";
import { observe } from "./state/observable.ts";
import { Studio } from "./state/studio.ts";
import type { KleinbildStudioElement, ModelChoice } from "./studio-types.ts";
import { base } from "./style/base.ts";
import { layout } from "./style/layout.ts";
import { theme } from "./style/theme.ts";
import "./unsupported.ts";

const TABS = { make: "Studio", models: "Models", benchmark: "Benchmark" } as const;
type Tab = keyof typeof TABS;
const TAB_NAMES = Object.keys(TABS) as Tab[];

/**
 * The studio: pictures from words and references, models, a benchmark. `<kleinbild-studio>` needs nothing else on a page;
 * its colours and its font can be set from outside by the custom properties of style/theme.ts.
 *
 * @fires kleinbild-started  when the first model was loaded, or could not be
 * @slot state  what else the header says at its end
 * @attribute model  address of a model's folder to begin with; klein-nano without it
 * @attribute ort-wasm-url  address of onnxruntime's wasm, where no bundler takes care of it
 */
export class KleinbildStudio extends LitElement implements KleinbildStudioElement {
  static override properties = {
    model: {},
    ortWasmUrl: { attribute: "ort-wasm-url" },
    choices: { attribute: false },
    tab: { state: true },
  };
  declare model: string | undefined;
  declare ortWasmUrl: string | undefined;
  /** Models of this site that the list offers besides klein-nano. */
  declare choices: readonly ModelChoice[];
  declare tab: Tab;
  readonly #studio = new Studio();
  readonly #visited = new Set<Tab>(["make"]);
  /** Aborted when the element is taken off the page. */
  #removed = new AbortController();
  #started = false;

  static override styles = [base, theme, layout];

  constructor() {
    super();
    this.choices = [];
    this.tab = "make";
    const { session, queue, notices } = this.#studio;
    observe(this, () => [this.#studio, session, queue, notices]);
    receiveFiles(this, {
      onDrop: (files) => {
        void this.#choose("make"); // where it shows what became of them
        void this.#studio.receive(files);
      },
      onPaste: (files) => {
        void this.#choose("make");
        void this.#studio.addReferences(files);
      },
    });
  }

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener("keydown", this.#cancelOnEscape);
    this.#removed = new AbortController();
    if (this.hasUpdated && !this.#started) void this.#start(); // it was taken off the page before
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("keydown", this.#cancelOnEscape);
    this.#removed.abort();
    void this.#studio.stop();
  }

  protected override firstUpdated(): void {
    void this.#start();
  }

  async #start(): Promise<void> {
    const { signal } = this.#removed;
    const { model, ortWasmUrl } = this;
    const choice = model === undefined ? KLEIN_NANO : { id: model, name: model, options: { model } };
    await this.#studio.start(choice, { ortWasmUrl }, signal);
    if (signal.aborted) return;
    this.#started = true;
    this.dispatchEvent(new Event("kleinbild-started"));
  }

  protected override render(): TemplateResult {
    const isNoticed = this.#studio.notices.list.length > 0;
    return html`<div class="frame ${isNoticed ? "noticed" : ""}">
        <header>
          <h1>${MARK} Kleinbild</h1>
          <div role="tablist" aria-label="Parts of the studio" @keydown=${this.#moveTab}>
            ${TAB_NAMES.map((name) => this.#tab(name))}
          </div>
          <div class="state"><span role="status">${this.#state()}</span> <slot name="state"></slot></div>
        </header>
        ${TAB_NAMES.map(
          (name) =>
            html`<div role="tabpanel" id="panel-${name}" aria-labelledby="tab-${name}" ?hidden=${this.tab !== name}>
              ${this.#visited.has(name) ? this.#panel(name) : nothing}
            </div>`,
        )}
      </div>
      <kleinbild-notices .studio=${this.#studio}></kleinbild-notices>`;
  }

  #tab(name: Tab): TemplateResult {
    const isChosen = this.tab === name;
    return html`<button
      type="button"
      role="tab"
      id="tab-${name}"
      aria-controls="panel-${name}"
      aria-selected=${isChosen ? "true" : "false"}
      tabindex=${isChosen ? 0 : -1}
      @click=${() => void this.#choose(name)}
    >
      ${TABS[name]}
    </button>`;
  }

  #panel(name: Tab): TemplateResult {
    const studio = this.#studio;
    switch (name) {
      case "make":
        return html`<div class="make">
          ${
            studio.support?.supported === false
              ? html`<kleinbild-unsupported reason=${studio.support.reason}></kleinbild-unsupported>`
              : html`<kleinbild-composer .studio=${studio}></kleinbild-composer>
                  <kleinbild-stage .studio=${studio}></kleinbild-stage>`
          }
          <kleinbild-gallery .studio=${studio}></kleinbild-gallery>
          <kleinbild-engine .studio=${studio}></kleinbild-engine>
        </div>`;
      case "models":
        return html`<kleinbild-models .studio=${studio} .choices=${this.choices}></kleinbild-models>`;
      case "benchmark":
        return html`<kleinbild-benchmark
          .studio=${studio}
          .baseModel=${this.choices.find(({ id }) => id === "klein-nano-base")?.options.model}
        ></kleinbild-benchmark>`;
      default:
        return name satisfies never;
    }
  }

  /** The engine in a few words. */
  #state(): string {
    const { session, support } = this.#studio;
    const { name } = session.choice;
    if (!support) return "Looking at the GPU";
    if (!support.supported) return "No WebGPU";
    switch (session.state.status) {
      case "loading":
        return `Loading ${name}`;
      case "ready": {
        const { adapter, dtype } = session.state.info;
        return `${name} on ${adapterName(adapter)}, ${dtype}`;
      }
      case "closed":
        return `${name} is not loaded`;
      case "failed":
        return `${name} was not loaded`;
      default:
        return session.state satisfies never;
    }
  }

  /** Shows a tab. What it needs is loaded the first time, and only then put on the page: it takes its state when it is made. */
  async #choose(name: Tab): Promise<void> {
    this.tab = name;
    try {
      await define(name);
    } catch (cause) {
      const error = new Error(`${TABS[name]} could not be loaded: load the page again.`, { cause });
      return this.#studio.notices.error(error);
    }
    this.#visited.add(name);
    this.requestUpdate();
  }

  readonly #moveTab = async (event: KeyboardEvent): Promise<void> => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const place = TAB_NAMES.indexOf(this.tab);
    const next =
      event.key === "Home" ? 0 : event.key === "End" ? TAB_NAMES.length - 1 : by === undefined ? undefined : place + by;
    if (next === undefined) return;
    event.preventDefault();
    void this.#choose(TAB_NAMES.at(next % TAB_NAMES.length)!);
    await this.updateComplete;
    this.renderRoot.querySelector<HTMLElement>("[aria-selected=true]")?.focus();
  };

  readonly #cancelOnEscape = (event: KeyboardEvent): void => {
    const { queue } = this.#studio;
    if (!queue.running || !meansCancel(this, event)) return;
    event.preventDefault(); // a dialog around the studio stays open
    queue.cancel();
  };
}

/** Parts that are seldom looked at come when they are. */
async function define(name: Tab): Promise<unknown> {
  switch (name) {
    case "make":
      return undefined;
    case "models":
      return import("./models/models.ts");
    case "benchmark":
      return import("./benchmark/benchmark.ts");
    default:
      return name satisfies never;
  }
}

const MARK = html`<svg aria-hidden="true" width="22" height="22" viewBox="0 0 24 24" fill="none">
  <rect x="1.5" y="3.5" width="21" height="17" rx="3.5" fill="currentColor" />
  <circle cx="8.5" cy="9.5" r="2.25" fill="var(--ground)" />
  <path d="M4 18.5l6-5.5 3.5 3 3-2.5 3.5 5z" fill="var(--ground)" />
</svg>`;

customElements.define("kleinbild-studio", KleinbildStudio);
