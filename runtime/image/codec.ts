import { KleinbildError } from "../errors.ts";
import type { PixelImage } from "./pixels.ts";

/** The media types that can be written. */
export type ImageType = "image/png" | "image/jpeg" | "image/webp";

/** The format of an image file. */
export interface Encoding {
  /** Default: `image/png`. */
  readonly type?: ImageType | undefined;
  /** 0 … 1, for JPEG and WebP. Default: 0.9. */
  readonly quality?: number | undefined;
}

/** Options of {@link GeneratedImage.encode} and {@link GeneratedImage.toBlob}. */
export interface EncodeOptions extends Encoding {
  /** Whether the file records how the picture was made, prompt included. Default: true. */
  readonly metadata?: boolean | undefined;
}

/** An image file. */
export interface EncodedImage {
  /** The content of the file. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The type that was written: PNG where the platform cannot write the requested type. */
  readonly type: ImageType;
  /** Sentences about every difference from the request. */
  readonly warnings: readonly string[];
}

/** Reads and writes image files with the platform's decoder and encoder. */
export interface ImageCodec {
  /**
   * Pixels upright, in sRGB, transparent ones on white; of an animation the first picture.
   * @throws KleinbildError `invalid-image`, or `unsupported` on a platform without a decoder; or the signal's reason
   */
  decode(bytes: Uint8Array<ArrayBuffer>, signal?: AbortSignal): Promise<PixelImage>;
  /** @throws KleinbildError `invalid-request` for a type or quality that does not exist; `unsupported` as above */
  encode(image: PixelImage, encoding?: Encoding): Promise<EncodedImage>;
}

const DEFAULT_QUALITY = 0.9;
export const MAX_PIXELS = 100_000_000;

/** @throws KleinbildError `invalid-image` for more pixels than are read */
export function checkPixelCount(width: number, height: number): void {
  if (width * height > MAX_PIXELS)
    throw new KleinbildError(
      "invalid-image",
      `A picture of ${width} x ${height} pixels is too large; at most ${MAX_PIXELS} pixels are read.`,
      { width, height, max: MAX_PIXELS },
    );
}

/** With the defaults. @throws KleinbildError `invalid-request` for another type, or a quality outside of 0 … 1 */
export function resolveEncoding({ type = "image/png", quality = DEFAULT_QUALITY }: Encoding): {
  readonly type: ImageType;
  readonly quality: number;
} {
  if (type !== "image/png" && type !== "image/jpeg" && type !== "image/webp")
    throw new KleinbildError(
      "invalid-request",
      `type must be image/png, image/jpeg or image/webp; got ${String(type)}.`,
      { parameter: "type" },
    );
  if (typeof quality !== "number" || !(quality >= 0 && quality <= 1))
    throw new KleinbildError("invalid-request", `quality must be between 0 and 1; got ${quality}.`, {
      parameter: "quality",
    });
  return { type, quality };
}

/** The `invalid-image` that a decoder's failure means. */
export function undecodable(bytes: Uint8Array, cause: unknown): KleinbildError {
  const start = [...bytes.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return new KleinbildError(
    "invalid-image",
    `The bytes are no picture that can be read (PNG, JPEG, WebP); they begin with ${start || "nothing"}.`,
    { bytes: bytes.length },
    { cause },
  );
}
