import { type NoiseLevel, noiseLevel } from "./noise-level.ts";
import { assign, type Combination, dataAt, type Evaluation, lastOfStep, NOISE, combine, X } from "./program.ts";

/**
 * x' drawn from the posterior q(x' | x, x0) with the predicted picture for x0: DDPMScheduler of diffusers with its
 * variance `fixed_small`, for x = α · x0 + σ · noise with α = 1 − σ (Kingma et al. 2021, "Variational Diffusion Models",
 * equation 24). Pictures are not clipped: latents have no range.
 *
 * @param sigmas [steps + 1], falling
 */
export function compileDdpm(sigmas: readonly number[]): readonly Evaluation[] {
  const levels = sigmas.map(noiseLevel);
  return levels
    .slice(0, -1)
    .map((level, step) =>
      lastOfStep(
        step,
        level.sigma,
        assign("x", posteriorStep(level, levels[step + 1]!, X, dataAt(level.sigma), NOISE)),
      ),
    );
}

/**
 * A sample of q(x' | x, x0). With q the noise-to-signal ratio of `to` divided by the noise-to-signal ratio of `from`:
 *     x' = q · (σ' / σ) · x + (1 − q²) · α' · x0 + √(1 − q²) · σ' · noise
 */
export function posteriorStep(
  from: NoiseLevel,
  to: NoiseLevel,
  x: Combination,
  data: Combination,
  noise: Combination,
): Combination {
  const q = (to.sigma * from.alpha) / (to.alpha * from.sigma);
  const fresh = 1 - q ** 2;
  return combine([(q * to.sigma) / from.sigma, x], [fresh * to.alpha, data], [Math.sqrt(fresh) * to.sigma, noise]);
}
