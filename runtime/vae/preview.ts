import type { Gpu } from "../gpu/device.ts";
import type { VaeConfig } from "../weights/config/model-config.ts";
import { type Autoencoder, PIXELS_PER_TOKEN, type Pixels } from "./autoencoder.ts";

/** Sides in pixels: of the picture that the fit encodes, of its squares, and of the cell that one latent covers. */
const FIT_PIXELS = 128;
const SQUARE = 16;
const CELL = 8;
const COLOURS = 3;
/** Keeps the normal equations solvable when channels hardly matter. */
const RIDGE = 1e-3;

/**
 * Small previews of latents: the colour of each 8×8 pixels as a linear function of its latent channels, fitted by least
 * squares to the model's own encoder on one small picture, when first needed.
 */
export class PreviewModel {
  readonly #gpu: Gpu;
  readonly #latentChannels: number;
  readonly #encode: Autoencoder["encode"];
  #coefficients: Float64Array | undefined;

  /** @param encode  the model's own encoder, called once */
  constructor(gpu: Gpu, { latentChannels }: Pick<VaeConfig, "latentChannels">, encode: Autoencoder["encode"]) {
    this.#gpu = gpu;
    this.#latentChannels = latentChannels;
    this.#encode = encode;
  }

  /** Whether the fit exists, so that `render` needs no encoder. */
  get isReady(): boolean {
    return this.#coefficients !== undefined;
  }

  /** Makes the fit, unless it exists. */
  async prepare(signal?: AbortSignal): Promise<void> {
    this.#coefficients ??= await this.#fit(signal);
  }

  /** Forgets the fit, so that the next run makes it again: for dry runs. */
  reset(): void {
    this.#coefficients = undefined;
  }

  /**
   * A picture of an eighth of the size.
   *
   * @param tokens  [height · width, 4 · latentChannels] of the predicted clean latents
   * @param grid    height and width in tokens
   */
  async render(
    tokens: Float32Array,
    grid: { readonly height: number; readonly width: number },
    signal?: AbortSignal,
  ): Promise<Pixels> {
    const coefficients = (this.#coefficients ??= await this.#fit(signal));
    const channels = this.#latentChannels;
    const width = grid.width * 2;
    const height = grid.height * 2;
    const data = new Uint8ClampedArray(width * height * 4);
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const first = this.#firstChannel(grid.width, x, y);
        let red = 0;
        let green = 0;
        let blue = 0;
        for (let c = 0; c < channels; c++) {
          const value = tokens[first + c * 4]!;
          red += value * coefficients[c * COLOURS]!;
          green += value * coefficients[c * COLOURS + 1]!;
          blue += value * coefficients[c * COLOURS + 2]!;
        }
        const at = (y * width + x) * 4;
        data[at] = red + coefficients[channels * COLOURS]!;
        data[at + 1] = green + coefficients[channels * COLOURS + 1]!;
        data[at + 2] = blue + coefficients[channels * COLOURS + 2]!;
        data[at + 3] = 255;
      }
    return { width, height, data };
  }

  /** Where the first channel of cell (x, y) lies among the tokens. Patch channels are c · 4 + row · 2 + column. */
  #firstChannel(gridWidth: number, x: number, y: number): number {
    const token = (y >> 1) * gridWidth + (x >> 1);
    return token * this.#latentChannels * 4 + (y & 1) * 2 + (x & 1);
  }

  /** The colours of a picture of random squares against the latents that the encoder makes of it. */
  async #fit(signal?: AbortSignal): Promise<Float64Array> {
    const picture = randomSquares(FIT_PIXELS);
    const tokens = await this.#encodeTokens(picture, signal);
    const inputs = this.#latentChannels + 1;
    const normal = new Float64Array(inputs * inputs);
    const right = new Float64Array(inputs * COLOURS);
    const sample = new Float64Array(inputs).fill(1); // the last one is the constant
    for (let y = 0; y < FIT_PIXELS / CELL; y++)
      for (let x = 0; x < FIT_PIXELS / CELL; x++) {
        const first = this.#firstChannel(FIT_PIXELS / PIXELS_PER_TOKEN, x, y);
        for (let c = 0; c < this.#latentChannels; c++) sample[c] = tokens[first + c * 4]!;
        const pixel = (y * CELL * FIT_PIXELS + x * CELL) * 4; // a cell has one colour
        for (let i = 0; i < inputs; i++) {
          for (let j = 0; j < inputs; j++) normal[i * inputs + j]! += sample[i]! * sample[j]!;
          for (let c = 0; c < COLOURS; c++) right[i * COLOURS + c]! += sample[i]! * picture.data[pixel + c]!;
        }
      }
    for (let i = 0; i < inputs; i++) normal[i * inputs + i]! += RIDGE;
    return solve(normal, right, inputs, COLOURS);
  }

  async #encodeTokens(picture: Pixels, signal?: AbortSignal): Promise<Float32Array> {
    using scope = this.#gpu.memory.scope();
    return await this.#gpu.recorder.readF32(await this.#encode(scope, picture, signal));
  }
}

/** Squares of random colours, the same for each fit. */
function randomSquares(side: number): Pixels {
  const pixels = new Uint32Array(side * side);
  let state = 1;
  const byte = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  };
  for (let top = 0; top < side; top += SQUARE)
    for (let left = 0; left < side; left += SQUARE) {
      const [colour] = new Uint32Array(Uint8Array.of(byte(), byte(), byte(), 255).buffer);
      for (let y = top; y < top + SQUARE; y++) pixels.fill(colour!, y * side + left, y * side + left + SQUARE);
    }
  return { width: side, height: side, data: new Uint8ClampedArray(pixels.buffer) };
}

/** Solves a · x = b for symmetric positive definite a [n, n], b [n, columns], by Gaussian elimination. */
function solve(a: Float64Array, b: Float64Array, n: number, columns: number): Float64Array {
  for (let pivot = 0; pivot < n; pivot++)
    for (let row = pivot + 1; row < n; row++) {
      const factor = a[row * n + pivot]! / a[pivot * n + pivot]!;
      for (let k = pivot; k < n; k++) a[row * n + k]! -= factor * a[pivot * n + k]!;
      for (let k = 0; k < columns; k++) b[row * columns + k]! -= factor * b[pivot * columns + k]!;
    }
  for (let row = n - 1; row >= 0; row--)
    for (let column = 0; column < columns; column++) {
      let value = b[row * columns + column]!;
      for (let k = row + 1; k < n; k++) value -= a[row * n + k]! * b[k * columns + column]!;
      b[row * columns + column] = value / a[row * n + row]!;
    }
  return b;
}
