/**
 * 8-bit sRGB pixels, row-major, four bytes a pixel (RGBA). An `ImageData` is one. The pixels of a picture that the engine
 * made are opaque.
 */
export interface PixelImage {
  /** Pixels in a row. */
  readonly width: number;
  /** Rows of pixels. */
  readonly height: number;
  /** `width * height * 4` bytes. */
  readonly data: Uint8ClampedArray;
}

/** Lays RGBA pixels with straight alpha on white, in place, rounding as canvases do. */
export function layOnWhite(data: Uint8ClampedArray): void {
  for (let i = 0; i < data.length; i += 4) {
    const alpha = data[i + 3]!;
    if (alpha === 255) continue;
    for (let c = i; c < i + 3; c++) data[c] = Math.round((data[c]! * alpha) / 255) + 255 - alpha;
    data[i + 3] = 255;
  }
}
