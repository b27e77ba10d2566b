export interface Size {
  readonly width: number;
  readonly height: number;
}

/** How large a picture is shown, in CSS pixels. */
export interface Fitted extends Size {
  /** Whether each of its pixels covers the same whole number of the screen's, so that they may stay crisp. */
  readonly pixelated: boolean;
}

/** Crisp pixels are worth so much of the room, not more. */
const LEAST_FILLED = 0.75;

/**
 * A picture as large as its room allows, or a little smaller where a whole factor nearly fills it: then every pixel
 * stays a square.
 *
 * @param room  CSS pixels
 * @param pixelRatio  pixels of the screen for one of CSS
 */
export function fitPicture(picture: Size, room: Size, pixelRatio: number): Fitted {
  const largest = Math.min(room.width / picture.width, room.height / picture.height);
  const whole = Math.floor(largest * pixelRatio) / pixelRatio;
  const pixelated = whole >= largest * LEAST_FILLED && whole > 0;
  const scale = pixelated ? whole : largest;
  return { width: picture.width * scale, height: picture.height * scale, pixelated };
}
