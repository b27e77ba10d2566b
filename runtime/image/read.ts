import { KleinbildError } from "../errors.ts";
import { checkPixelCount, type ImageCodec } from "./codec.ts";
import type { PixelImage } from "./pixels.ts";

/** An encoded file or pixels. */
export type ImageInput = Blob | ArrayBuffer | Uint8Array | PixelImage;

/** The pixels of an input, opaque. @throws KleinbildError `invalid-image` */
export async function readImage(input: ImageInput, codec: ImageCodec, signal?: AbortSignal): Promise<PixelImage> {
  signal?.throwIfAborted();
  if (input instanceof Blob) return codec.decode(new Uint8Array(await input.arrayBuffer()), signal);
  if (input instanceof ArrayBuffer) return codec.decode(new Uint8Array(input), signal);
  if (input instanceof Uint8Array) return codec.decode(new Uint8Array(input), signal);
  if (isPixels(input)) return flatten(input);
  throw new KleinbildError(
    "invalid-image",
    "A picture must be a Blob, the bytes of an image file, or { width, height, data } with RGBA bytes.",
  );
}

function isPixels(input: unknown): input is PixelImage {
  if (typeof input !== "object" || input === null) return false;
  const { width, height, data } = input as Partial<PixelImage>;
  return Number.isInteger(width) && Number.isInteger(height) && ArrayBuffer.isView(data);
}

/** Transparent pixels on white. */
function flatten({ width, height, data }: PixelImage): PixelImage {
  checkPixelCount(width, height);
  if (width < 1 || height < 1 || data.length !== width * height * 4)
    throw new KleinbildError(
      "invalid-image",
      `${width} x ${height} pixels need ${width * height * 4} RGBA bytes; got ${data.length}.`,
      { width, height, bytes: data.length },
    );
  const opaque = new Uint8ClampedArray(data.length);
  for (let i = 0; i < data.length; i += 4) {
    const alpha = data[i + 3]! / 255;
    for (let c = 0; c < 3; c++) opaque[i + c] = data[i + c]! * alpha + 255 * (1 - alpha);
    opaque[i + 3] = 255;
  }
  return { width, height, data: opaque };
}
