import { KleinbildError } from "../errors.ts";

/**
 * How the noise levels are spaced between the first and the last one of the model's schedule. `uniform` leaves them as they
 * are.
 */
export type SigmaSpacing = "uniform" | "karras" | "exponential" | "beta";

export interface ScheduleOptions {
  /** Tokens of the target image only, (height / 16) · (width / 16); references do not count. */
  readonly tokens: number;
  readonly steps: number;
  /** `uniform` when left out. */
  readonly spacing?: SigmaSpacing;
}

/** Exponent of Karras et al. 2022, equation 5. */
const KARRAS_RHO = 7;
/** Both parameters of the beta distribution, from "Beta Sampling is All You Need" (arXiv 2407.12173). */
const BETA_PARAMETER = 0.6;
/** Above this many tokens the fit is a line in the tokens alone; the reference has the discontinuity too. */
const LARGE_IMAGE_TOKENS = 4300;

/**
 * The shift μ of the noise schedule, fitted by Black Forest Labs to image size and step count
 * (`compute_empirical_mu` of https://github.com/black-forest-labs/flux2): lines in the tokens at 10 and 200 steps,
 * interpolated linearly in the steps.
 */
export function empiricalMu(tokens: number, steps: number): number {
  const at200 = 0.00016927 * tokens + 0.45666666;
  if (tokens > LARGE_IMAGE_TOKENS) return at200;
  const at10 = 8.73809524e-5 * tokens + 1.89833333;
  const slope = (at200 - at10) / 190;
  return slope * steps + (at200 - 200 * slope);
}

/**
 * The noise levels of a run: σᵢ = e^μ / (e^μ + (1/tᵢ − 1)) with tᵢ = 1 − i/steps, then 0.
 *
 * Rounded to f32 where the reference scheduler (FlowMatchEulerDiscreteScheduler of diffusers) rounds, so that the
 * values are its values.
 *
 * @returns [steps + 1] falling from 1 to 0
 * @throws KleinbildError `invalid-request` when there is not at least one step
 */
export function buildSigmas({ tokens, steps, spacing = "uniform" }: ScheduleOptions): Float32Array {
  if (!Number.isInteger(steps) || steps < 1)
    throw new KleinbildError("invalid-request", `steps must be an integer of at least 1; got ${steps}.`, {
      parameter: "steps",
    });
  const shifted = shiftedSigmas(empiricalMu(tokens, steps), steps);
  const sigmas = new Float32Array(steps + 1);
  for (let i = 0; i < steps; i++)
    sigmas[i] = spacing === "uniform" ? shifted[i]! : respaced(shifted[0]!, shifted[steps - 1]!, i, steps, spacing);
  return sigmas;
}

/** [steps], without the final 0. */
function shiftedSigmas(mu: number, steps: number): Float32Array {
  const { fround } = Math;
  const shift = fround(Math.exp(mu));
  return Float32Array.from({ length: steps }, (_, i) => {
    const odds = fround(fround(1 / fround(1 - i / steps)) - 1);
    return shift / fround(shift + odds);
  });
}

/** Sigma `i` of `steps` between `first` and `last`, both included. One step has the first only. */
function respaced(
  first: number,
  last: number,
  i: number,
  steps: number,
  spacing: Exclude<SigmaSpacing, "uniform">,
): number {
  const ramp = steps === 1 ? 0 : i / (steps - 1);
  const between = (from: number, to: number) => from + ramp * (to - from);
  switch (spacing) {
    case "karras":
      return between(first ** (1 / KARRAS_RHO), last ** (1 / KARRAS_RHO)) ** KARRAS_RHO;
    case "exponential":
      return Math.exp(between(Math.log(first), Math.log(last)));
    case "beta":
      return last + (first - last) * symmetricBetaQuantile(1 - ramp, BETA_PARAMETER);
    default:
      return spacing satisfies never;
  }
}

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
