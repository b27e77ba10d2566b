/** 8-bit sRGB pixels, row-major, four bytes a pixel (RGBA). Alpha is 255 everywhere once an image was read. */
export interface PixelImage {
  readonly width: number;
  readonly height: number;
  /** `width * height * 4` bytes. */
  readonly data: Uint8ClampedArray;
}
