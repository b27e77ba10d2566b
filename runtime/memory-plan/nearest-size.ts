import { PIXELS_PER_TOKEN } from "../vae/autoencoder.ts";
import type { Size } from "./vae-pass.ts";

/**
 * The largest size below `size` of about the same shape, in whole tokens, for which `fits` holds; what fits must fit when it
 * is smaller, too. The long side is halved in on, the short one follows it.
 */
export function nearestFitting(size: Size, fits: (size: Size) => boolean): Size | undefined {
  const long = Math.max(size.width, size.height) / PIXELS_PER_TOKEN;
  const scaled = (tokens: number): Size => {
    const side = (pixels: number): number =>
      Math.max(1, Math.round((pixels / PIXELS_PER_TOKEN / long) * tokens)) * PIXELS_PER_TOKEN;
    return { width: side(size.width), height: side(size.height) };
  };
  let fitting = 0;
  let tooLarge = long;
  while (tooLarge - fitting > 1) {
    const middle = Math.floor((fitting + tooLarge) / 2);
    if (fits(scaled(middle))) fitting = middle;
    else tooLarge = middle;
  }
  return fitting > 0 ? scaled(fitting) : undefined;
}
