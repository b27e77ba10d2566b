import { eulerStep } from "./euler.ts";
import {
  assign,
  type Combination,
  type Evaluation,
  lastOfStep,
  NOISE,
  combine,
  VELOCITY,
  withinStep,
  X,
} from "./program.ts";

/**
 * The ancestral step of rectified flows: solve down to σ↓ = σ'² / σ, below the next sigma, and noise up to σ':
 *     x' = (α' / α↓) · x↓ + √(σ'² − (σ↓ · α' / α↓)²) · noise,    α = 1 − σ
 * LTXEulerAncestralRFScheduler of diffusers, with its eta of 1. (EulerAncestralDiscreteScheduler adds noise to an x that
 * is not scaled down, which a flow's x = (1 − σ) · x0 + σ · noise does not allow.)
 *
 * @param sigmas [steps + 1], falling
 */
export function compileEulerAncestral(sigmas: readonly number[]): readonly Evaluation[] {
  return sigmas.slice(0, -1).map((sigma, step) => {
    const { down, noised } = ancestralStep(sigma, sigmas[step + 1]!);
    return lastOfStep(step, sigma, assign("x", noised(combine([1, X], [down - sigma, VELOCITY]))));
  });
}

/**
 * The midpoint method of `compileKdpm2` down to σ↓, then noise as above; a step to 0 is an Euler step. The middle between σ
 * and σ↓ in the logarithm is σ'.
 * KDPM2AncestralDiscreteScheduler of diffusers with the ancestral step of rectified flows.
 *
 * @param sigmas [steps + 1], falling
 */
export function compileKdpm2Ancestral(sigmas: readonly number[]): readonly Evaluation[] {
  return sigmas.slice(0, -1).flatMap((sigma, step) => {
    const next = sigmas[step + 1]!;
    if (next === 0) return [lastOfStep(step, sigma, eulerStep(sigma, next))];
    const { down, noised } = ancestralStep(sigma, next);
    return [
      withinStep(step, sigma, assign("start", X), eulerStep(sigma, next)),
      lastOfStep(step, next, assign("x", noised(combine([1, { start: 1 }], [down - sigma, VELOCITY])))),
    ];
  });
}

/** σ↓, and a function that adds noise to latents there, up to `next`. */
function ancestralStep(
  sigma: number,
  next: number,
): { readonly down: number; readonly noised: (latents: Combination) => Combination } {
  const down = next * (next / sigma);
  const scale = (1 - next) / (1 - down);
  const noise = Math.sqrt(next ** 2 - (down * scale) ** 2);
  return { down, noised: (latents) => combine([scale, latents], [noise, NOISE]) };
}
