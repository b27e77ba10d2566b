import { levelsBelowOne, noiseLevel, type NoiseLevel } from "./noise-level.ts";
import { assign, type Combination, dataAt, type Evaluation, lastOfStep, combine, X } from "./program.ts";

/** A picture predicted at a level. */
interface Prediction {
  readonly level: NoiseLevel;
  readonly data: Combination;
}

/**
 * UniPC (Zhao et al. 2023, arXiv 2302.04867): the velocity at a predicted x first corrects that x, then predicts the
 * next one. UniPCMultistepScheduler of diffusers with its defaults (`bh2`, data prediction, order falling to 1 at the
 * end). Of second order it starts at sigma 1; of third order it has no finite factors there, and starts slightly below.
 *
 * @param sigmas [steps + 1], falling
 */
export function compileUniPc(sigmas: readonly number[], order: 2 | 3): readonly Evaluation[] {
  const steps = sigmas.length - 1;
  const levels = order === 2 ? sigmas.map(noiseLevel) : levelsBelowOne(sigmas);
  const orderOfStep = (step: number) => Math.min(order, steps - step, step + 1);
  /** The predictions of the last `count` steps, the latest first. */
  const predictions = (latest: number, count: number): readonly Prediction[] =>
    Array.from({ length: count }, (_, i) => ({
      level: levels[latest - i]!,
      data: { [`data.${latest - i}`]: 1 },
    }));
  return sigmas.slice(0, -1).map((sigma, step) => {
    const data = dataAt(sigma);
    const assignments = [assign(`data.${step}`, data)];
    if (step > 0) {
      const past = predictions(step - 1, orderOfStep(step - 1));
      assignments.push(assign("x", correct({ level: levels[step]!, data }, past)));
    }
    const predicted = predict(levels[step + 1]!, predictions(step, orderOfStep(step)));
    return lastOfStep(step, sigma, ...assignments, assign("corrected", X), assign("x", predicted));
  });
}

/** x at `to`, from the corrected x. */
function predict(to: NoiseLevel, past: readonly Prediction[]): Combination {
  const { base, differences, weights } = expand(to, past);
  // for two predictions the reference uses ½ instead of solving the 1 × 1 system
  const solved =
    past.length === 2
      ? [0.5]
      : solve(
          differences.map(({ ratio }) => ratio),
          weights,
        );
  return combine([1, base("x")], ...differences.map(({ of }, k): [number, Combination] => [solved[k]!, of]));
}

/** x at the level of `now`, again, from the x corrected in the step before. */
function correct(now: Prediction, past: readonly Prediction[]): Combination {
  const { base, differences, weights, difference } = expand(now.level, past);
  const all = [...differences, { ratio: 1, of: difference(now.data) }];
  const solved =
    past.length === 1
      ? [0.5]
      : solve(
          all.map(({ ratio }) => ratio),
          weights,
        );
  return combine([1, base("corrected")], ...all.map(({ of }, k): [number, Combination] => [solved[k]!, of]));
}

/**
 * The terms of both formulas, with h = λ' − λ and B = 1 − e⁻ʰ: the step of first order, differences between older
 * predictions and the latest (times α' B, over their distance in units of h), and the right-hand side of the system that
 * weighs them.
 */
function expand(to: NoiseLevel, past: readonly Prediction[]) {
  const { level: from, data: latest } = past[0]!;
  const h = to.lambda - from.lambda;
  const b = -Math.expm1(-h);
  const difference = (data: Combination): Combination => combine([to.alpha * b, data], [-to.alpha * b, latest]);
  const weights: number[] = [];
  let phi = b / h - 1; // φ₂ of −h, then by recursion
  for (let k = 1, factorial = 1; k <= past.length; k++) {
    weights.push((-phi * factorial) / b);
    factorial *= k + 1;
    phi = -phi / h - 1 / factorial;
  }
  return {
    base: (register: string): Combination =>
      combine([to.sigma / from.sigma, { [register]: 1 }], [to.alpha * b, latest]),
    difference,
    differences: past.slice(1).map(({ level, data }) => {
      const ratio = (level.lambda - from.lambda) / h;
      return { ratio, of: combine([1 / ratio, difference(data)]) };
    }),
    weights,
  };
}

/** The w with Σₖ wₖ · nodesₖⁱ = valuesᵢ for i from 0, by elimination with pivots; a node at −∞ gets no weight. */
function solve(nodes: readonly number[], values: readonly number[]): readonly number[] {
  const rows = nodes.map((_, i) => [...nodes.map((node) => node ** i), values[i]!]);
  for (let i = 0; i < rows.length; i++) {
    let pivot = i;
    for (let j = i + 1; j < rows.length; j++) if (Math.abs(rows[j]![i]!) > Math.abs(rows[pivot]![i]!)) pivot = j;
    [rows[i], rows[pivot]] = [rows[pivot]!, rows[i]!];
    for (let j = i + 1; j < rows.length; j++) {
      const factor = rows[j]![i]! / rows[i]![i]!;
      for (let k = i + 1; k < rows[j]!.length; k++) rows[j]![k]! -= factor * rows[i]![k]!;
    }
  }
  const solution: number[] = [];
  for (let i = rows.length - 1; i >= 0; i--) {
    const known = solution.reduce((total, value, k) => total + value * rows[i]![rows.length - 1 - k]!, 0);
    solution.push((rows[i]![rows.length]! - known) / rows[i]![i]!);
  }
  return solution.toReversed();
}
