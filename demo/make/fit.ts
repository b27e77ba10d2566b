export interface Size {
  readonly width: number;
  readonly height: number;
}

/** How large a picture is shown, in CSS pixels. */
export interface Fitted extends Size {
  /** Whether each of its pixels covers the same whole number of the screen's, so that they may stay crisp. */
  readonly pixelated: boolean;
}

/**
 * A picture as large as its room allows. Small ones are enlarged by a whole factor, larger ones shrink smoothly.
 *
 * @param room  CSS pixels
 * @param pixelRatio  pixels of the screen for one of CSS
 */
export function fitPicture(picture: Size, room: Size, pixelRatio: number): Fitted {
  const largest = Math.min(room.width / picture.width, room.height / picture.height);
  const factor = Math.floor(largest * pixelRatio);
  const pixelated = factor >= 1;
  const scale = pixelated ? factor / pixelRatio : largest;
  return { width: picture.width * scale, height: picture.height * scale, pixelated };
}
