import { KleinbildError } from "../errors.ts";
import type { PixelImage } from "./pixels.ts";

export type ImageType = "image/png" | "image/jpeg" | "image/webp";

export interface EncodeOptions {
  /** Default: image/png. */
  readonly type?: ImageType | undefined;
  /** 0 … 1, for JPEG and WebP. Default: 0.9. */
  readonly quality?: number | undefined;
}

export interface EncodedImage {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** What it really is: PNG where the platform cannot write the type asked for. */
  readonly type: ImageType;
  /** What is other than asked for, as sentences. */
  readonly warnings: readonly string[];
}

/** Reads and writes image files with what the platform has. */
export interface ImageCodec {
  /** Pixels upright, in sRGB, transparent ones on white. @throws KleinbildError `invalid-image` */
  decode(bytes: Uint8Array<ArrayBuffer>, signal?: AbortSignal): Promise<PixelImage>;
  encode(image: PixelImage, options?: EncodeOptions): Promise<EncodedImage>;
}

export const DEFAULT_QUALITY = 0.9;
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

/** @throws KleinbildError `invalid-request` unless the quality is between 0 and 1 */
export function resolveEncoding({
  type = "image/png",
  quality = DEFAULT_QUALITY,
}: EncodeOptions): Required<{ type: ImageType; quality: number }> {
  if (type !== "image/png" && type !== "image/jpeg" && type !== "image/webp")
    throw new KleinbildError(
      "invalid-request",
      `type must be image/png, image/jpeg or image/webp; got ${String(type)}.`,
      { parameter: "type" },
    );
  if (!(quality >= 0 && quality <= 1))
    throw new KleinbildError("invalid-request", `quality must be between 0 and 1; got ${quality}.`, {
      parameter: "quality",
    });
  return { type, quality };
}

/** @throws what `invalid-image` a decoder's failure means */
export function undecodable(bytes: Uint8Array, cause: unknown): KleinbildError {
  const start = [...bytes.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return new KleinbildError(
    "invalid-image",
    `The bytes are no picture that can be read (PNG, JPEG, WebP); they begin with ${start || "nothing"}.`,
    { bytes: bytes.length },
    { cause },
  );
}
