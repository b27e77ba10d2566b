import { assign, dataAt, type Evaluation, lastOfStep, NOISE, combine, VELOCITY, X } from "./program.ts";

/** Strategic stochasticity γ of TCD, `eta` of diffusers' scheduler: how far below the next sigma a step lands. */
const TCD_GAMMA = 0.3;

/**
 * The predicted picture, noised again: x' = (1 − σ') · x0 + σ' · noise. FlowMatchLCMScheduler of diffusers.
 *
 * @param sigmas [steps + 1], falling
 */
export function compileLcm(sigmas: readonly number[]): readonly Evaluation[] {
  return sigmas.slice(0, -1).map((sigma, step) => {
    const next = sigmas[step + 1]!;
    return lastOfStep(step, sigma, assign("x", combine([1 - next, dataAt(sigma)], [next, NOISE])));
  });
}

/**
 * Trajectory consistency: an Euler step to σs = (1 − γ) · σ', then noise up to σ':
 *     x' = (α' / αs) · xs + √(σ'² − (σs · α' / αs)²) · noise,    α = 1 − σ
 * TCDScheduler of diffusers (Zheng et al. 2024), whose timesteps are the sigmas here.
 *
 * @param sigmas [steps + 1], falling
 */
export function compileTcd(sigmas: readonly number[]): readonly Evaluation[] {
  return sigmas.slice(0, -1).map((sigma, step) => {
    const next = sigmas[step + 1]!;
    const landing = (1 - TCD_GAMMA) * next;
    const scale = (1 - next) / (1 - landing);
    const noise = Math.sqrt(next ** 2 - (landing * scale) ** 2);
    const landed = combine([1, X], [landing - sigma, VELOCITY]);
    return lastOfStep(step, sigma, assign("x", combine([scale, landed], [noise, NOISE])));
  });
}
