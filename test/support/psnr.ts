/** Peak signal-to-noise ratio in dB of 8-bit values; infinite when they are equal. */
export function psnr(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length)
    throw new Error(`${actual.length} values are compared with ${expected.length}`);
  let squares = 0;
  for (let i = 0; i < expected.length; i++) squares += (actual[i]! - expected[i]!) ** 2;
  return 10 * Math.log10(255 ** 2 / (squares / expected.length));
}
