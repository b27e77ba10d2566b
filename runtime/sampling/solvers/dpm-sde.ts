import { eulerStep } from "./euler.ts";
import { levelAtLambda, levelsBelowOne, type NoiseLevel } from "./noise-level.ts";
import { posteriorStep } from "./posterior.ts";
import { assign, dataAt, type Evaluation, lastOfStep, NOISE, combine, withinStep, X } from "./program.ts";

/**
 * DPM-Solver++ (SDE), two stages for each step: the first one to the middle in λ, the second one over the whole step with
 * the picture that is predicted there; a step to 0 is one Euler step. DPMSolverSDEScheduler of diffusers, whose x is
 * x / α here and whose sigma is σ / α.
 *
 * Both stages see one Brownian path in σ / α, as with the reference's Brownian tree: the noise of the whole step is that
 * of its first part and fresh noise, in proportion of their times.
 *
 * @param sigmas [steps + 1], falling
 */
export function compileDpmSde(sigmas: readonly number[]): readonly Evaluation[] {
  const levels = levelsBelowOne(sigmas);
  return sigmas.slice(0, -1).flatMap((sigma, step) => {
    const [from, to] = [levels[step]!, levels[step + 1]!];
    if (to.sigma === 0) return [lastOfStep(step, sigma, eulerStep(sigma, 0))];
    const middle = levelAtLambda((from.lambda + to.lambda) / 2);
    const first = (noiseToSignal(from) - noiseToSignal(middle)) / (noiseToSignal(from) - noiseToSignal(to));
    const path = combine([Math.sqrt(first), { firstNoise: 1 }], [Math.sqrt(1 - first), NOISE]);
    return [
      withinStep(
        step,
        sigma,
        assign("start", X),
        assign("firstNoise", NOISE),
        assign("x", posteriorStep(from, middle, X, dataAt(sigma), NOISE)),
      ),
      lastOfStep(step, middle.sigma, assign("x", posteriorStep(from, to, { start: 1 }, dataAt(middle.sigma), path))),
    ];
  });
}

const noiseToSignal = ({ sigma, alpha }: NoiseLevel): number => sigma / alpha;
