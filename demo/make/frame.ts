import { css, LitElement, html, type PropertyValues, type TemplateResult } from "lit";
import { base } from "../style/base.ts";
import { fitPicture, type Size } from "./fit.ts";

/**
 * A place of the picture's shape, as wide as the column, with what it is given as large as it fits in. It tells its
 * content by `--rendering` whether the pixels may stay crisp.
 */
class KleinbildFrame extends LitElement {
  static override properties = { size: { attribute: false } };
  /** Pixels of the picture; undefined: square, and the content fills it. */
  declare size: Size | undefined;
  readonly #resized = new ResizeObserver(() => this.#fit());

  static override styles = [
    base,
    css`
      :host {
        display: grid;
        place-items: center;
        aspect-ratio: var(--ratio, 1);
        max-height: max(20rem, 82vh);
        border-radius: calc(var(--radius) * 1.5);
        background: var(--raised);
        overflow: hidden;
      }

      ::slotted(*) {
        grid-area: 1 / 1;
        width: var(--picture-width, 100%);
        height: var(--picture-height, 100%);
        image-rendering: var(--rendering, auto);
      }
    `,
  ];

  override connectedCallback(): void {
    super.connectedCallback();
    this.#resized.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#resized.disconnect();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("size")) this.#fit();
  }

  protected override render(): TemplateResult {
    return html`<slot></slot>`;
  }

  #fit(): void {
    const { size } = this;
    this.#set("--ratio", size && `${size.width} / ${size.height}`);
    const room = { width: this.clientWidth, height: this.clientHeight };
    const fitted = size && fitPicture(size, room, devicePixelRatio);
    this.#set("--picture-width", fitted && `${fitted.width}px`);
    this.#set("--picture-height", fitted && `${fitted.height}px`);
    this.#set("--rendering", fitted?.pixelated ? "pixelated" : "auto");
  }

  #set(name: string, value: string | undefined): void {
    if (value === undefined) this.style.removeProperty(name);
    else this.style.setProperty(name, value);
  }
}

customElements.define("kleinbild-frame", KleinbildFrame);
