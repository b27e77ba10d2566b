import { KleinbildError } from "../errors.ts";
import { symmetricBetaQuantile } from "./beta-quantile.ts";

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
