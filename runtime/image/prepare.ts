import pica from "pica";
import { KleinbildError } from "../errors.ts";
import type { PixelImage } from "./pixels.ts";

const MAX_AREA = 1024 * 1024;
const MIN_SIDE = 64;
const MAX_ASPECT = 8;
const MULTIPLE = 16;

/** Without workers, canvas or createImageBitmap: the same arithmetic in Node and in browsers. */
let resizer: ReturnType<typeof pica> | undefined;

/**
 * A reference picture in the size that the transformer takes: scaled down by Lanczos when its area exceeds 1024², never scaled up,
 * then cropped in the centre to multiples of 16. Pictures that are too small or too elongated are refused.
 *
 * @throws KleinbildError `invalid-image`
 */
export async function prepareReference(image: PixelImage): Promise<PixelImage> {
  const { width, height } = image;
  const side = Math.min(width, height);
  if (side < MIN_SIDE)
    throw new KleinbildError(
      "invalid-image",
      `A reference needs sides of at least ${MIN_SIDE} pixels; got ${width} x ${height}.`,
      { width, height, min: MIN_SIDE },
    );
  const aspect = Math.max(width, height) / side;
  if (aspect > MAX_ASPECT)
    throw new KleinbildError(
      "invalid-image",
      `A reference may be at most ${MAX_ASPECT} times as long as wide; got ${width} x ${height}.`,
      { width, height, max: MAX_ASPECT },
    );
  return cropToMultiple(width * height > MAX_AREA ? await scaleToArea(image, MAX_AREA) : image);
}

async function scaleToArea(image: PixelImage, area: number): Promise<PixelImage> {
  const scale = Math.sqrt(area / (image.width * image.height));
  const width = Math.trunc(image.width * scale);
  const height = Math.trunc(image.height * scale);
  resizer ??= pica({ features: ["js", "wasm"] });
  const data = await resizer.resizeBuffer({
    src: new Uint8Array(image.data), // a copy: pica's wasm reads the buffer behind a view from its start
    width: image.width,
    height: image.height,
    toWidth: width,
    toHeight: height,
    filter: "lanczos3",
  });
  return { width, height, data: new Uint8ClampedArray(data.buffer, data.byteOffset, data.length) };
}

function cropToMultiple(image: PixelImage): PixelImage {
  const width = Math.floor(image.width / MULTIPLE) * MULTIPLE;
  const height = Math.floor(image.height / MULTIPLE) * MULTIPLE;
  if (width === image.width && height === image.height) return image;
  const left = Math.floor((image.width - width) / 2);
  const top = Math.floor((image.height - height) / 2);
  const data = new Uint8ClampedArray(width * height * 4);
  for (let row = 0; row < height; row++) {
    const start = ((top + row) * image.width + left) * 4;
    data.set(image.data.subarray(start, start + width * 4), row * width * 4);
  }
  return { width, height, data };
}
