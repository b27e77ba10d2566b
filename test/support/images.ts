import sharp, { type Sharp } from "sharp";
import type { PixelImage } from "../../runtime/image/pixels.ts";

/** One colour everywhere: RGBA. */
export function solidImage(
  width: number,
  height: number,
  [red, green, blue, alpha]: readonly [number, number, number, number],
): PixelImage {
  const data = new Uint8ClampedArray(width * height * 4);
  for (let i = 0; i < data.length; i += 4) data.set([red, green, blue, alpha], i);
  return { width, height, data };
}

/** Red encodes the column and green the row, so that a test sees where a pixel came from. */
export function coordinateImage(width: number, height: number): PixelImage {
  const data = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) data.set([x % 256, y % 256, 0, 255], (y * width + x) * 4);
  return { width, height, data };
}

/** Every fifth colour value with every fifth alpha, 0 and 255 among them, and the same laid on white and rounded. */
export function alphaRamp(): { readonly image: PixelImage; readonly onWhite: Uint8ClampedArray } {
  const side = 52;
  const data = new Uint8ClampedArray(side * side * 4);
  const onWhite = new Uint8ClampedArray(data.length);
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      const [value, alpha, at] = [x * 5, y * 5, (y * side + x) * 4];
      const laid = Math.round((value * alpha + 255 * (255 - alpha)) / 255);
      data.set([value, value, value, alpha], at);
      onWhite.set([laid, laid, laid, 255], at);
    }
  return { image: { width: side, height: side, data }, onWhite };
}

/** A picture in sharp, to write in any format. */
export function inSharp({ width, height, data }: PixelImage): Sharp {
  return sharp(data, { raw: { width, height, channels: 4 } });
}

/** RGB(A) of one pixel. */
export function pixelAt({ width, data }: PixelImage, x: number, y: number): number[] {
  return [...data.subarray((y * width + x) * 4, (y * width + x) * 4 + 4)];
}
