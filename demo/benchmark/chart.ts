import { css, html, LitElement, type PropertyValues, type TemplateResult } from "lit";
import { createRef, ref } from "lit/directives/ref.js";
import { styleMap } from "lit/directives/style-map.js";
import { messageOf } from "../state/notices.ts";
import { base } from "../style/base.ts";
import type { BarChart } from "./bar-charts.ts";
import type { ChartColours, DrawnChart } from "./draw-bars.ts";
import { heightOf } from "./measures.ts";

const STYLES = css`
  :host {
    display: grid;
    gap: 0.5rem;
    font-size: 0.8125rem;
  }

  .legend {
    display: flex;
    flex-wrap: wrap;
    gap: 0.25rem 1rem;
  }

  .legend li {
    display: inline-flex;
    gap: 0.4rem;
    align-items: center;
  }

  .swatch {
    width: 0.75rem;
    height: 0.75rem;
    border-radius: 0.125rem;
    background: var(--field);
  }

  /* pale enough for the quartiles to be seen on it */
  .swatch.last {
    background: color-mix(in oklab, var(--accent) 70%, var(--surface));
  }

  .plot {
    position: relative;
    min-width: 0;
  }
`;

const SCHEME = matchMedia("(prefers-color-scheme: dark)");

/** Horizontal bars with their quartiles. The figures themselves are in a table beside it. */
class KleinbildBenchmarkChart extends LitElement {
  static override properties = { chart: { attribute: false }, label: {}, problem: { state: true } };
  declare chart: BarChart;
  /** What a picture of it is called. */
  declare label: string;
  declare problem: string;
  readonly #canvas = createRef<HTMLCanvasElement>();
  #drawn: DrawnChart | undefined;

  static override styles = [base, STYLES];

  constructor() {
    super();
    this.problem = "";
  }

  override connectedCallback(): void {
    super.connectedCallback();
    SCHEME.addEventListener("change", this.#draw);
    if (this.hasUpdated) void this.#draw();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    SCHEME.removeEventListener("change", this.#draw);
    this.#drawn?.destroy();
    this.#drawn = undefined;
  }

  override updated(changed: PropertyValues<this>): void {
    if (changed.has("chart")) void this.#draw();
  }

  override render(): TemplateResult {
    const { series } = this.chart;
    return html`
      <ul class="legend" aria-label="Colours" ?hidden=${series.length === 1}>
        ${series.map(
          ({ name }, i) => html`<li><span class="swatch ${i === series.length - 1 ? "last" : ""}"></span>${name}</li>`,
        )}
      </ul>
      <div class="plot" style=${styleMap({ height: `${heightOf(this.chart)}px` })}>
        ${
          this.problem
            ? html`<p class="hint">The bars cannot be drawn. ${this.problem}</p>`
            : html`<canvas role="img" aria-label=${this.label} ${ref(this.#canvas)}></canvas>`
        }
      </div>
    `;
  }

  readonly #draw = async (): Promise<void> => {
    try {
      const { drawBars, redrawBars } = await import("./draw-bars.ts");
      const canvas = this.#canvas.value;
      if (!canvas || !this.isConnected) return;
      const { fontFamily } = getComputedStyle(this);
      if (this.#drawn) redrawBars(this.#drawn, this.chart, this.#colours(), fontFamily);
      else this.#drawn = drawBars(canvas, this.chart, this.#colours(), fontFamily);
    } catch (error) {
      this.problem = messageOf(error);
    }
  };

  /** A canvas knows no custom properties, and these may depend on the scheme: a real property resolves them. */
  #colours(): ChartColours {
    const probe = document.createElement("span");
    this.renderRoot.append(probe);
    const resolve = (name: string): string => {
      probe.style.color = `var(${name})`;
      return getComputedStyle(probe).color;
    };
    const swatches = [...this.renderRoot.querySelectorAll(".swatch")];
    const colours = {
      series: swatches.map((swatch) => getComputedStyle(swatch).backgroundColor),
      text: resolve("--ink"),
      soft: resolve("--soft"),
      line: resolve("--line"),
      ground: resolve("--raised"),
    };
    probe.remove();
    return colours;
  }
}

customElements.define("kleinbild-benchmark-chart", KleinbildBenchmarkChart);
