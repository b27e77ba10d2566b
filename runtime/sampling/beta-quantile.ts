/** Terms of the series below: at x ≤ ½ each is under half of the one before, so less than 2⁻⁵⁵ of the sum is cut. */
const TERMS = 56;
/** Each halving adds a bit: x to 2⁻⁶¹, far below the f32 that sigmas are rounded to. */
const HALVINGS = 60;

/**
 * Quantile of the symmetric beta distribution with both parameters `a`: the x with I_x(a, a) = probability.
 *
 * I_x(a, b) = B_x(a, b) / B(a, b), where the incomplete beta function is the series
 * B_x(a, b) = x^a Σₖ (1 − b)ₖ xᵏ / (k! (a + k)) (https://dlmf.nist.gov/8.17.E7 with its 2F1 written out).
 * Symmetry gives the rest without a gamma function: B(a, a) = 2 B_½(a, a), and quantile(1 − p) = 1 − quantile(p).
 *
 * @param probability 0 … 1
 * @param a above 0 and at most 1, for which the terms fall as counted above
 */
export function symmetricBetaQuantile(probability: number, a: number): number {
  if (probability > 0.5) return 1 - symmetricBetaQuantile(1 - probability, a);
  const target = probability * 2 * incompleteBeta(0.5, a);
  let low = 0;
  let high = 0.5;
  for (let i = 0; i < HALVINGS; i++) {
    const middle = (low + high) / 2;
    if (incompleteBeta(middle, a) < target) low = middle;
    else high = middle;
  }
  return low;
}

/** B_x(a, a) for 0 ≤ x ≤ ½. */
function incompleteBeta(x: number, a: number): number {
  let factor = x ** a;
  let sum = 0;
  for (let k = 0; k < TERMS; k++) {
    sum += factor / (a + k);
    factor *= ((k + 1 - a) * x) / (k + 1);
  }
  return sum;
}
