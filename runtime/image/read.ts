import { KleinbildError } from "../errors.ts";
import { checkPixelCount, type ImageCodec } from "./codec.ts";
import { layOnWhite, type PixelImage } from "./pixels.ts";

/** An image file (PNG, JPEG, WebP, and further types that the platform reads), or pixels, such as an `ImageData`. */
export type ImageInput = Blob | ArrayBuffer | Uint8Array | PixelImage;

/**
 * The pixels of an input, opaque. Pixel inputs are copied, so later writes of the caller change nothing.
 *
 * @throws KleinbildError `invalid-image`, or the signal's reason
 */
export async function readImage(input: ImageInput, codec: ImageCodec, signal?: AbortSignal): Promise<PixelImage> {
  signal?.throwIfAborted();
  if (input instanceof Blob) return codec.decode(new Uint8Array(await input.arrayBuffer()), signal);
  if (input instanceof ArrayBuffer) return codec.decode(new Uint8Array(input), signal);
  if (input instanceof Uint8Array) return codec.decode(unshared(input), signal);
  if (isPixels(input)) return copyOnWhite(input);
  throw new KleinbildError(
    "invalid-image",
    "A picture must be a Blob, the bytes of an image file, or { width, height, data } with RGBA bytes (Uint8ClampedArray or Uint8Array).",
  );
}

/** The bytes where they are, unless they are shared memory, which decoders refuse. */
function unshared(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = bytes;
  return buffer instanceof ArrayBuffer ? new Uint8Array(buffer, byteOffset, byteLength) : new Uint8Array(bytes);
}

function isPixels(input: unknown): input is PixelImage {
  if (typeof input !== "object" || input === null) return false;
  const { width, height, data } = input as Partial<PixelImage>;
  return Number.isInteger(width) && Number.isInteger(height) && isBytes(data);
}

function isBytes(data: unknown): boolean {
  return data instanceof Uint8ClampedArray || data instanceof Uint8Array;
}

function copyOnWhite({ width, height, data }: PixelImage): PixelImage {
  if (width < 1 || height < 1)
    throw new KleinbildError("invalid-image", `A picture has at least one pixel; got ${width} x ${height}.`, {
      width,
      height,
    });
  checkPixelCount(width, height);
  if (data.length !== width * height * 4)
    throw new KleinbildError(
      "invalid-image",
      `${width} x ${height} pixels need ${width * height * 4} RGBA bytes; got ${data.length}.`,
      { width, height, bytes: data.length },
    );
  const opaque = new Uint8ClampedArray(data);
  layOnWhite(opaque);
  return { width, height, data: opaque };
}
