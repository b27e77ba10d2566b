import { eulerStep } from "./euler.ts";
import { assign, type Evaluation, lastOfStep, combine, VELOCITY, withinStep, X } from "./program.ts";

/**
 * Heun's method: an Euler step, then again with the mean of both ends' velocities; the last step is an Euler step.
 * FlowMatchHeunDiscreteScheduler of diffusers.
 *
 * @param sigmas [steps + 1], falling
 */
export function compileHeun(sigmas: readonly number[]): readonly Evaluation[] {
  const steps = sigmas.length - 1;
  return sigmas.slice(0, -1).flatMap((sigma, step) => {
    const next = sigmas[step + 1]!;
    if (step === steps - 1) return [lastOfStep(step, sigma, eulerStep(sigma, next))];
    const half = combine([(next - sigma) / 2, VELOCITY]);
    return [
      withinStep(step, sigma, assign("end", combine([1, X], [1, half])), eulerStep(sigma, next)),
      lastOfStep(step, next, assign("x", combine([1, { end: 1 }], [1, half]))),
    ];
  });
}

/**
 * The midpoint method with the middle in the logarithm of sigma; a step to 0 is an Euler step.
 * KDPM2DiscreteScheduler of diffusers, whose derivative by sigma is the velocity here.
 *
 * @param sigmas [steps + 1], falling
 */
export function compileKdpm2(sigmas: readonly number[]): readonly Evaluation[] {
  return sigmas.slice(0, -1).flatMap((sigma, step) => {
    const next = sigmas[step + 1]!;
    if (next === 0) return [lastOfStep(step, sigma, eulerStep(sigma, next))];
    const middle = Math.sqrt(sigma * next);
    return [
      withinStep(step, sigma, assign("start", X), eulerStep(sigma, middle)),
      lastOfStep(step, middle, assign("x", combine([1, { start: 1 }], [next - sigma, VELOCITY]))),
    ];
  });
}
