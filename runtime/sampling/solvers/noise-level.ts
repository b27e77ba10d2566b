/** Where solvers in λ are to start that have no finite factors at sigma 1: the reference starts them there too. */
const NEARLY_ONE = 1 - 1e-4;

/** A sigma in the terms of DPM-Solvers: x = alpha · x0 + sigma · noise. */
export interface NoiseLevel {
  readonly sigma: number;
  /** 1 − sigma. */
  readonly alpha: number;
  /** Half of the logarithm of the signal-to-noise ratio, ln(alpha / sigma): −∞ at sigma 1, +∞ at 0. */
  readonly lambda: number;
}

export function noiseLevel(sigma: number): NoiseLevel {
  const alpha = 1 - sigma;
  return { sigma, alpha, lambda: Math.log(alpha) - Math.log(sigma) };
}

/** The level at λ. */
export function levelAtLambda(lambda: number): NoiseLevel {
  return { sigma: 1 / (1 + Math.exp(lambda)), alpha: 1 / (1 + Math.exp(-lambda)), lambda };
}

/**
 * The levels of a schedule, the first one slightly below 1 where the schedule starts at 1: at 1 − 10⁻⁴, or halfway to
 * the next one when that is nearer. The velocity is still evaluated at 1.
 */
export function levelsBelowOne(sigmas: readonly number[]): readonly NoiseLevel[] {
  const start = sigmas[0] === 1 ? Math.max(NEARLY_ONE, (1 + sigmas[1]!) / 2) : sigmas[0]!;
  return [start, ...sigmas.slice(1)].map(noiseLevel);
}
