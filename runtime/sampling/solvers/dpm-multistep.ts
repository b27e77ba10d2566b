import { noiseLevel, type NoiseLevel } from "./noise-level.ts";
import { assign, type Combination, dataAt, type Evaluation, lastOfStep, NOISE, combine, X } from "./program.ts";

/** Below this many steps the last but one is of second order at most (`lower_order_final` of the reference). */
const MANY_STEPS = 15;

/**
 * DPM-Solver++ in several steps (Lu et al. 2022, arXiv 2211.01095), in data prediction, as an ODE or an SDE:
 * DPMSolverMultistepScheduler of diffusers with its defaults (`midpoint`, the last step of first order).
 *
 * At sigma 1, λ is −∞; the prediction there gets no weight in differences, and all factors are finite.
 *
 * @param sigmas [steps + 1], falling
 */
export function compileDpmMultistep(
  sigmas: readonly number[],
  order: 2 | 3,
  kind: "ode" | "sde",
): readonly Evaluation[] {
  const steps = sigmas.length - 1;
  const levels = sigmas.map(noiseLevel);
  return sigmas.slice(0, -1).map((sigma, step) => {
    const history = [dataAt(sigma), { [`data.${step - 1}`]: 1 }, { [`data.${step - 2}`]: 1 }] as const;
    const past = levels.slice(Math.max(0, step - 2), step).toReversed();
    const between = { from: levels[step]!, to: levels[step + 1]!, past };
    const next = update(between, history, orderOfStep(step, steps, order), kind);
    return lastOfStep(step, sigma, assign(`data.${step}`, dataAt(sigma)), assign("x", next));
  });
}

function orderOfStep(step: number, steps: number, order: 2 | 3): number {
  if (step === steps - 1) return 1;
  const limit = step === steps - 2 && steps < MANY_STEPS ? 2 : order;
  return Math.min(limit, step + 1);
}

/** The noise levels of a step. */
interface StepLevels {
  readonly from: NoiseLevel;
  readonly to: NoiseLevel;
  /** Of the steps before, the latest first. */
  readonly past: readonly NoiseLevel[];
}

/**
 * x at `to` from x at `from`: c · x + α' · (φ₁ · D0 + φ₂ · D1 + φ₃ · D2), where D0, D1 and D2 are the predicted picture and
 * its differences by λ in units of this step, and the φ are functions of h = λ' − λ (ODE) or 2 h (SDE).
 *
 * @param data pictures predicted at `from` and in the steps before, the latest first
 */
function update(
  { from, to, past }: StepLevels,
  data: readonly [Combination, Combination, Combination],
  order: number,
  kind: "ode" | "sde",
): Combination {
  const h = to.lambda - from.lambda;
  const g = kind === "sde" ? 2 * h : h;
  const decay = kind === "sde" ? Math.exp(-h) : 1;
  const phi1 = -Math.expm1(-g);
  const terms: [number, Combination][] = [
    [(to.sigma / from.sigma) * decay, X],
    [to.alpha * phi1, data[0]],
  ];
  if (kind === "sde") terms.push([to.sigma * Math.sqrt(phi1), NOISE]);
  if (order > 1) {
    const slowness0 = h / (from.lambda - past[0]!.lambda);
    const slope0 = combine([slowness0, data[0]], [-slowness0, data[1]]);
    if (order === 2) terms.push([(to.alpha * phi1) / 2, slope0]);
    else {
      const slowness1 = h / (past[0]!.lambda - past[1]!.lambda);
      const slope1 = combine([slowness1, data[1]], [-slowness1, data[2]]);
      const [r0, r1] = [1 / slowness0, 1 / slowness1]; // the lengths of the two steps before, in units of this one
      const bend = combine([1 / (r0 + r1), slope0], [-1 / (r0 + r1), slope1]);
      // The reference has −½ in the SDE's last factor, where the expansion gives +½ as in the ODE's.
      const half = kind === "sde" ? -0.5 : 0.5;
      terms.push(
        [to.alpha * (1 - phi1 / g), combine([1, slope0], [r0, bend])],
        [to.alpha * ((phi1 - g) / g ** 2 + half), bend],
      );
    }
  }
  return combine(...terms);
}
