import { eulerStep } from "./euler.ts";
import { levelsBelowOne, type NoiseLevel } from "./noise-level.ts";
import {
  assign,
  type Assignment,
  type Combination,
  dataAt,
  type Evaluation,
  lastOfStep,
  combine,
  X,
} from "./program.ts";

/** Below this many steps the last one is of first order (`lower_order_final` of the reference). */
const MANY_STEPS = 15;

/**
 * DEIS of second order (Zhang and Chen 2022, arXiv 2204.13902): the predicted noise is extrapolated along ln ρ, ρ = σ / α,
 * and integrated. DEISMultistepScheduler of diffusers with its defaults. Where the reference has no finite factors, this
 * differs: sigma 1 counts as slightly below, and a step to 0 is of first order whatever the number of steps.
 *
 * @param sigmas [steps + 1], falling
 */
export function compileDeis(sigmas: readonly number[]): readonly Evaluation[] {
  const levels = levelsBelowOne(sigmas);
  const steps = sigmas.length - 1;
  return sigmas.slice(0, -1).map((sigma, step) => {
    const [from, to] = [levels[step]!, levels[step + 1]!];
    const register = `noise.${step}`;
    const noise = { x: 1, velocity: 1 - sigma }; // (x − α · x0) / σ
    const lowered = step === steps - 1 && (steps < MANY_STEPS || to.sigma === 0);
    if (step > 0 && !lowered) {
      const next = secondOrder(levels[step - 1]!, from, to, noise, { [`noise.${step - 1}`]: 1 });
      return lastOfStep(step, sigma, assign(register, noise), assign("x", next));
    }
    if (sigma === 1 || to.sigma === 0)
      return lastOfStep(step, sigma, assign(register, noise), eulerStep(sigma, to.sigma));
    return lastOfStep(step, sigma, ...firstOrder(sigma, to.sigma, register));
  });
}

/**
 * x' = (α' / α) · x − σ' (eʰ − 1) · noise, with h = λ' − λ. It is the Euler step, written as the difference of two vectors
 * that just below sigma 1 are hundreds of times as long. The reference computes it so, in f32: its roundings grow to 10⁻³
 * there, so factors and intermediate vectors are rounded here where they are there.
 */
function firstOrder(sigma: number, next: number, register: string): readonly Assignment[] {
  const { fround } = Math;
  const [from, to] = [sigma, next].map((value) => {
    const alpha = fround(1 - value);
    return { sigma: value, alpha, lambda: fround(fround(Math.log(alpha)) - fround(Math.log(value))) };
  }) as [NoiseLevel, NoiseLevel];
  const growth = fround(fround(Math.exp(fround(to.lambda - from.lambda))) - 1);
  return [
    assign("data", dataAt(sigma)),
    assign("scaledNoise", combine([1, X], [-from.alpha, { data: 1 }])),
    assign(register, { scaledNoise: 1 }),
    assign(register, { [register]: 1, scaledNoise: 1 / sigma - 1 }), // the quotient by σ, rounded once
    assign("x", { x: fround(to.alpha / from.alpha), [register]: -fround(to.sigma * growth) }),
  ];
}

/** x' = α' · (x / α + c · noise + c₋ · noise₋), where c and c₋ are integrals over ρ of the line in ln ρ through both. */
function secondOrder(
  before: NoiseLevel,
  from: NoiseLevel,
  to: NoiseLevel,
  noise: Combination,
  noiseBefore: Combination,
): Combination {
  const [last, now, next] = [before, from, to].map(({ sigma, alpha }) => sigma / alpha) as [number, number, number];
  /** ∫ (ln t − ln zero) / (ln one − ln zero) dt from `now` to `next`. */
  const weight = (one: number, zero: number): number => {
    const antiderivative = (t: number) => (t * (Math.log(t) - Math.log(zero) - 1)) / (Math.log(one) - Math.log(zero));
    return antiderivative(next) - antiderivative(now);
  };
  return combine(
    [to.alpha / from.alpha, X],
    [to.alpha * weight(now, last), noise],
    [to.alpha * weight(last, now), noiseBefore],
  );
}
