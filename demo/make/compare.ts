import { css, html, LitElement, type PropertyValues, type TemplateResult } from "lit";
import { ChevronsLeftRight } from "lucide";
import { base } from "../style/base.ts";
import { icon } from "../style/icon.ts";

/** Two pictures on top of each other, the first one as far as the slider is. */
class KleinbildCompare extends LitElement {
  static override properties = {
    beforeUrl: { attribute: "before-url" },
    afterUrl: { attribute: "after-url" },
    beforeAlt: { attribute: "before-alt" },
    afterAlt: { attribute: "after-alt" },
    split: { state: true },
  };
  declare beforeUrl: string;
  declare afterUrl: string;
  declare beforeAlt: string;
  declare afterAlt: string;
  /** Percent of the width that shows the first picture. */
  declare split: number;

  static override styles = [
    base,
    css`
      .stack {
        position: relative;
        width: 100%;
        height: 100%;
        overflow: hidden;
        cursor: ew-resize;
        touch-action: pan-y pinch-zoom;
        user-select: none;
        forced-color-adjust: none; /* its marks are on a picture, in black and white */
      }

      .stack > * {
        position: absolute;
        inset: 0;
        width: 100%;
        height: 100%;
        pointer-events: none;
      }

      img {
        object-fit: contain;
      }

      .after {
        clip-path: inset(0 0 0 var(--split));
      }

      .before {
        image-rendering: auto;
        clip-path: inset(0 calc(100% - var(--split)) 0 0);
      }

      input {
        margin: 0;
        opacity: 0;
      }

      .stack > .handle {
        left: var(--split);
        display: grid;
        grid-template-columns: 0;
        place-items: center;
        width: 0;
      }

      .handle::before {
        content: "";
        grid-area: 1 / 1;
        width: 2px;
        height: 100%;
        background: #fff;
        box-shadow: 0 0 0 1px rgb(0 0 0 / 45%);
      }

      .handle span {
        grid-area: 1 / 1;
        display: grid;
        place-items: center;
        width: 2.25rem;
        height: 2.25rem;
        border-radius: 50%;
        background: #fff;
        color: #1b1d1f;
        box-shadow: 0 0 0 1px rgb(0 0 0 / 45%);
      }

      input:focus-visible ~ .handle span {
        outline: 3px solid var(--accent);
        outline-offset: 2px;
      }

      .stack > .tag {
        inset: auto auto 0.5rem 0.5rem;
        width: auto;
        height: auto;
        padding: 0.05rem 0.5rem;
        border-radius: 1rem;
        background: rgb(0 0 0 / 65%);
        color: #fff;
        font-size: 0.75rem;
      }

      .stack > .tag.right {
        inset: auto 0.5rem 0.5rem auto;
      }
    `,
  ];

  constructor() {
    super();
    this.split = 50;
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has("split")) this.style.setProperty("--split", `${this.split}%`);
  }

  protected override render(): TemplateResult {
    const { split } = this;
    return html`
      <div class="stack" @pointerdown=${this.#grab} @pointermove=${this.#drag}>
        <img class="after" src=${this.afterUrl} alt=${this.afterAlt} />
        <img class="before" src=${this.beforeUrl} alt=${this.beforeAlt} />
        <input
          type="range"
          aria-label="Before and after"
          aria-valuetext="${split} % before"
          min="0"
          max="100"
          .value=${String(split)}
          @input=${(event: InputEvent) => (this.split = (event.target as HTMLInputElement).valueAsNumber)}
        />
        <div class="handle" aria-hidden="true"><span>${icon(ChevronsLeftRight)}</span></div>
        <span class="tag" aria-hidden="true" ?hidden=${split < 15}>Before</span>
        <span class="tag right" aria-hidden="true" ?hidden=${split > 85}>After</span>
      </div>
    `;
  }

  readonly #grab = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    event.preventDefault(); // no selection, no dragging of the picture
    const stack = event.currentTarget as HTMLElement;
    stack.setPointerCapture(event.pointerId);
    this.#moveTo(event, stack);
    this.renderRoot.querySelector("input")?.focus({ preventScroll: true });
  };

  readonly #drag = (event: PointerEvent): void => {
    const stack = event.currentTarget as HTMLElement;
    if (stack.hasPointerCapture(event.pointerId)) this.#moveTo(event, stack);
  };

  #moveTo({ clientX }: PointerEvent, stack: HTMLElement): void {
    const { left, width } = stack.getBoundingClientRect();
    this.split = Math.round(Math.min(1, Math.max(0, (clientX - left) / width)) * 100);
  }
}

customElements.define("kleinbild-compare", KleinbildCompare);
