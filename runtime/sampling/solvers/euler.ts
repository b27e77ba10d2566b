import { assign, type Assignment, type Evaluation, lastOfStep, combine, VELOCITY, X } from "./program.ts";

/**
 * x += (σ' − σ) · velocity: FlowMatchEulerDiscreteScheduler of diffusers.
 *
 * @param sigmas [steps + 1], falling
 */
export function compileEuler(sigmas: readonly number[]): readonly Evaluation[] {
  return sigmas.slice(0, -1).map((sigma, step) => lastOfStep(step, sigma, eulerStep(sigma, sigmas[step + 1]!)));
}

/** The Euler step from x at sigma to x at next. */
export function eulerStep(sigma: number, next: number): Assignment {
  return assign("x", combine([1, X], [next - sigma, VELOCITY]));
}
