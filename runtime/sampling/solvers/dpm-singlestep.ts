import { levelsBelowOne, noiseLevel, type NoiseLevel } from "./noise-level.ts";
import { assign, type Combination, dataAt, type Evaluation, lastOfStep, combine, X } from "./program.ts";

/**
 * DPM-Solver++ (2S): steps form pairs. The first of a pair is of first order. The second one starts where the pair
 * began and covers both, with the prediction that the first one made in between (Lu et al. 2022, arXiv 2211.01095, algorithm 1).
 * DPMSolverSinglestepScheduler of diffusers with its defaults: the last step is of first order, and with an even number
 * of steps the last two are. Over a pair from sigma 1 there are no finite factors: it is taken to start slightly below.
 *
 * @param sigmas [steps + 1], falling
 */
export function compileDpmSinglestep(sigmas: readonly number[]): readonly Evaluation[] {
  const levels = levelsBelowOne(sigmas);
  const steps = sigmas.length - 1;
  return sigmas.slice(0, -1).map((sigma, step) => {
    const to = levels[step + 1]!;
    const data = dataAt(sigma);
    if (step % 2 === 1 && step < steps - 1)
      return lastOfStep(step, sigma, assign("x", secondOrder(levels[step - 1]!, levels[step]!, to, data)));
    const next = firstOrder(noiseLevel(sigma), to, data);
    return lastOfStep(step, sigma, assign("start", X), assign("data", data), assign("x", next));
  });
}

function firstOrder(from: NoiseLevel, to: NoiseLevel, data: Combination): Combination {
  return combine([to.sigma / from.sigma, X], [-to.alpha * Math.expm1(from.lambda - to.lambda), data]);
}

/** From `start` to `to`, with the picture predicted at the start and the one predicted at `middle`. */
function secondOrder(start: NoiseLevel, middle: NoiseLevel, to: NoiseLevel, data: Combination): Combination {
  const h = to.lambda - start.lambda;
  const slowness = h / (middle.lambda - start.lambda);
  const phi = -to.alpha * Math.expm1(-h);
  const atStart = { data: 1 };
  return combine(
    [to.sigma / start.sigma, { start: 1 }],
    [phi, atStart],
    [(phi / 2) * slowness, combine([1, data], [-1, atStart])],
  );
}
