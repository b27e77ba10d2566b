/** Count, mean and sum of squared deviations, in two passes. */
export function statistics(values: readonly number[]): readonly [count: number, mean: number, squares: number] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return [values.length, mean, values.reduce((sum, value) => sum + (value - mean) ** 2, 0)];
}

/** The values of one group in positions `first … end − 1` of x [positions, channels]. */
export function groupValues(
  x: ArrayLike<number>,
  channels: number,
  groups: number,
  group: number,
  first: number,
  end: number,
): readonly number[] {
  const width = channels / groups;
  const values: number[] = [];
  for (let position = first; position < end; position++)
    for (let c = group * width; c < (group + 1) * width; c++) values.push(x[position * channels + c]!);
  return values;
}

/** GroupNorm of x [positions, channels] as a scale and a shift a channel, with the biased variance. */
export function groupNormAffine(
  x: ArrayLike<number>,
  channels: number,
  groups: number,
  weight: ArrayLike<number>,
  bias: ArrayLike<number>,
  eps: number,
): { readonly scale: Float64Array; readonly shift: Float64Array } {
  const scale = new Float64Array(channels);
  const shift = new Float64Array(channels);
  for (let c = 0; c < channels; c++) {
    const group = Math.floor((c * groups) / channels);
    const [count, mean, squares] = statistics(groupValues(x, channels, groups, group, 0, x.length / channels));
    scale[c] = weight[c]! / Math.sqrt(squares / count + eps);
    shift[c] = bias[c]! - mean * scale[c]!;
  }
  return { scale, shift };
}
