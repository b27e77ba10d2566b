/** Colours of RGBA bytes from −1 to 1, with a zero after each three: [pixels, 4]. */
export function pixelsToFeatures(rgba: ArrayLike<number>): readonly number[] {
  return Array.from(rgba, (byte, i) => (i % 4 === 3 ? 0 : (2 * byte) / 255 - 1));
}

/**
 * RGBA bytes of features [pixels, 3] as the reference pipeline makes them in f32, step by step: x · 0.5 + 0.5, clamped,
 * times 255, rounded as numpy does.
 */
export function featuresToPixels(x: ArrayLike<number>): readonly number[] {
  const out: number[] = [];
  for (let i = 0; i < x.length; i++) {
    const unit = Math.fround(Math.fround(x[i]! * 0.5) + 0.5);
    out.push(roundHalfToEven(Math.fround(Math.min(1, Math.max(0, unit)) * 255)));
    if (i % 3 === 2) out.push(255);
  }
  return out;
}

/** numpy's round. */
function roundHalfToEven(value: number): number {
  const nearest = Math.round(value);
  return Math.abs(value % 1) === 0.5 && nearest % 2 !== 0 ? nearest - 1 : nearest;
}

export interface MapSize {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/**
 * Tokens [height / 2 · width / 2, 4 · latentChannels] of the first latent channels of a map [height, width, channels]:
 * patch channel c · 4 + row · 2 + column, each less its mean and times its reciprocal deviation.
 */
export function patchify(
  x: ArrayLike<number>,
  { height, width, channels }: MapSize,
  latentChannels: number,
  means: ArrayLike<number>,
  reciprocals: ArrayLike<number>,
): readonly number[] {
  const tokens: number[] = [];
  for (let top = 0; top < height; top += 2)
    for (let left = 0; left < width; left += 2)
      for (let c = 0; c < latentChannels; c++)
        for (const [patch, [dy, dx]] of PATCH.entries()) {
          const k = c * 4 + patch;
          tokens.push((x[((top + dy) * width + left + dx) * channels + c]! - means[k]!) * reciprocals[k]!);
        }
  return tokens;
}

/** The map [height, width, channels] of tokens [height / 2 · width / 2, 4 · channels], times deviations, plus means. */
export function unpatchify(
  tokens: ArrayLike<number>,
  { height, width, channels }: MapSize,
  means: ArrayLike<number>,
  deviations: ArrayLike<number>,
): Float64Array {
  const map = new Float64Array(height * width * channels);
  let at = 0;
  for (let top = 0; top < height; top += 2)
    for (let left = 0; left < width; left += 2)
      for (let c = 0; c < channels; c++)
        for (const [patch, [dy, dx]] of PATCH.entries()) {
          const k = c * 4 + patch;
          map[((top + dy) * width + left + dx) * channels + c] = tokens[at++]! * deviations[k]! + means[k]!;
        }
  return map;
}

const PATCH = [
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
] as const;

export interface GatherSteps {
  /** Scale and shift a channel. */
  readonly affine?: { readonly scale: ArrayLike<number>; readonly shift: ArrayLike<number> } | undefined;
  readonly activate?: boolean | undefined;
  readonly upsample?: boolean | undefined;
}

/**
 * The whole map [height, width, channels], scaled and shifted, then SiLU, then nearest upsampling by two; of that, rows
 * `first … first + rows − 1`, zeros outside the map.
 */
export function gatherRows(
  x: ArrayLike<number>,
  { height, width, channels }: MapSize,
  first: number,
  rows: number,
  { affine, activate, upsample }: GatherSteps,
): Float64Array {
  const values = Array.from(x, (value, i) => {
    const c = i % channels;
    const normed = affine ? value * affine.scale[c]! + affine.shift[c]! : value;
    return activate ? normed / (1 + Math.exp(-normed)) : normed;
  });
  const factor = upsample ? 2 : 1;
  const outWidth = width * factor;
  const out = new Float64Array(rows * outWidth * channels);
  for (let row = 0; row < rows; row++) {
    const y = Math.floor((first + row) / factor);
    if (y < 0 || y >= height) continue;
    for (let column = 0; column < outWidth; column++)
      for (let c = 0; c < channels; c++)
        out[(row * outWidth + column) * channels + c] =
          values[(y * width + Math.floor(column / factor)) * channels + c]!;
  }
  return out;
}
