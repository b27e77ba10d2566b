import { PIXELS_PER_TOKEN } from "../vae/autoencoder.ts";
import type { Size } from "./planned-request.ts";

/**
 * Finds the largest size below `size` that fits, of about the same shape and in whole tokens, by bisection of the long side.
 *
 * @param fits  holds for all sizes up to some size
 * @returns     undefined when no size fits
 */
export async function nearestFitting(size: Size, fits: (size: Size) => Promise<boolean>): Promise<Size | undefined> {
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
    if (await fits(scaled(middle))) fitting = middle;
    else tooLarge = middle;
  }
  return fitting > 0 ? scaled(fitting) : undefined;
}
