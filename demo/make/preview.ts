import { css, html, LitElement, type TemplateResult } from "lit";
import type { PixelImage } from "../../runtime/index.ts";
import { base } from "../style/base.ts";

/** The picture as a step predicts it, an eighth of its size, smoothly enlarged. */
class KleinbildPreview extends LitElement {
  static override properties = { image: { attribute: false } };
  declare image: PixelImage;

  static override styles = [
    base,
    css`
      canvas {
        display: block;
        width: 100%;
        height: 100%;
        image-rendering: auto;
      }
    `,
  ];

  protected override render(): TemplateResult {
    return html`<canvas role="img" aria-label="Preview"></canvas>`;
  }

  protected override updated(): void {
    const { width, height, data } = this.image;
    const canvas = this.renderRoot.querySelector("canvas");
    const context = canvas?.getContext("2d", { alpha: false });
    if (!canvas || !context) return;
    canvas.width = width;
    canvas.height = height;
    context.putImageData(new ImageData(new Uint8ClampedArray(data), width, height), 0, 0);
  }
}

customElements.define("kleinbild-preview", KleinbildPreview);
