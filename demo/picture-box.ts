import type { GeneratedImage, PixelImage } from "../runtime/index.ts";
import { find } from "./dom.ts";

/** Pixels of the picture for one of a preview. */
const PREVIEW_SCALE = 8;

/** The canvas for previews and pictures, as large as its frame allows. */
export class PictureBox {
  readonly #frame = find("frame", HTMLDivElement);
  readonly #canvas = find("canvas", HTMLCanvasElement);
  readonly #placeholder = find("placeholder", HTMLParagraphElement);
  #smooth = false;

  constructor() {
    new ResizeObserver(() => this.#fit()).observe(this.#frame);
  }

  clear(): void {
    this.#canvas.hidden = true;
    this.#placeholder.hidden = false;
  }

  /** Scaled up smoothly to the size of the picture to come. */
  showPreview(preview: PixelImage): void {
    const small = new OffscreenCanvas(preview.width, preview.height);
    small.getContext("2d")?.putImageData(imageData(preview), 0, 0);
    const context = this.#prepare(preview.width * PREVIEW_SCALE, preview.height * PREVIEW_SCALE, "Preview", true);
    context.imageSmoothingQuality = "high";
    context.drawImage(small, 0, 0, this.#canvas.width, this.#canvas.height);
  }

  /** Its pixels as crisp squares. */
  showPicture(image: GeneratedImage): void {
    this.#prepare(image.width, image.height, image.metadata.prompt || "Picture", false).putImageData(
      imageData(image.pixels),
      0,
      0,
    );
  }

  #prepare(width: number, height: number, label: string, smooth: boolean): CanvasRenderingContext2D {
    const context = this.#canvas.getContext("2d", { alpha: false });
    if (!context) throw new Error("This browser gave no 2D canvas.");
    this.#canvas.width = width;
    this.#canvas.height = height;
    this.#canvas.ariaLabel = label;
    this.#canvas.hidden = false;
    this.#placeholder.hidden = true;
    this.#smooth = smooth;
    this.#fit();
    return context;
  }

  /** A whole number of screen pixels for each of the picture's, unless it is larger than the frame. */
  #fit(): void {
    const { width, height, style } = this.#canvas;
    const available = this.#frame.clientWidth;
    const factor = Math.floor((available * devicePixelRatio) / Math.max(width, height));
    const scale = factor >= 1 ? factor / devicePixelRatio : available / Math.max(width, height);
    style.width = `${width * scale}px`;
    style.height = `${height * scale}px`;
    style.imageRendering = this.#smooth || factor < 1 ? "auto" : "pixelated";
  }
}

function imageData({ width, height, data }: PixelImage): ImageData {
  return new ImageData(new Uint8ClampedArray(data), width, height);
}
