import { eulerStep } from "./euler.ts";
import { assign, type Combination, type Evaluation, lastOfStep, combine, VELOCITY, withinStep, X } from "./program.ts";

/** Adams–Bashforth weights for equal steps, of first to fourth order, the latest velocity first. */
const EQUAL_STEPS: readonly (readonly number[])[] = [
  [1],
  [3 / 2, -1 / 2],
  [23 / 12, -16 / 12, 5 / 12],
  [55 / 24, -59 / 24, 37 / 24, -9 / 24],
];
const ORDER = EQUAL_STEPS.length;
const RUNGE_KUTTA_STEPS = 3;

// In all three a step to 0 is an Euler step, to the predicted picture: it is several times as long as those before it,
// so far that the reference's extrapolation (its own schedules end in a short step) would magnify errors.

/**
 * Linear multistep: the polynomial through the last four velocities, integrated over the step.
 * LMSDiscreteScheduler of diffusers, whose derivative by sigma is the velocity here.
 *
 * @param sigmas [steps + 1], falling
 */
export function compileLms(sigmas: readonly number[]): readonly Evaluation[] {
  return sigmas.slice(0, -1).map((sigma, step) => {
    const next = sigmas[step + 1]!;
    if (next === 0) return lastOfStep(step, sigma, eulerStep(sigma, next));
    const nodes = sigmas.slice(Math.max(0, step + 1 - ORDER), step + 1).toReversed();
    return adamsStep(
      step,
      sigma,
      nodes.map((_, k) => integrateBasis(nodes, k, sigma, next)),
    );
  });
}

/**
 * The weights for equal steps, whatever the steps: IPNDMScheduler of diffusers (Zhang and Chen 2022), first steps of lower
 * order.
 *
 * @param sigmas [steps + 1], falling
 */
export function compileIpndm(sigmas: readonly number[]): readonly Evaluation[] {
  return sigmas.slice(0, -1).map((sigma, step) => equalSteps(sigmas, sigma, step, Math.min(step + 1, ORDER)));
}

/**
 * As `compileIpndm`, after three steps of the classical Runge–Kutta method with four evaluations each: PNDMScheduler of
 * diffusers (Liu et al. 2022, arXiv 2202.09778). The reference requires at least four steps; fewer work in the same way here.
 *
 * @param sigmas [steps + 1], falling
 */
export function compilePndm(sigmas: readonly number[]): readonly Evaluation[] {
  return sigmas
    .slice(0, -1)
    .flatMap((sigma, step) =>
      step < RUNGE_KUTTA_STEPS && sigmas[step + 1] !== 0
        ? rungeKuttaStep(step, sigma, sigmas[step + 1]!)
        : [equalSteps(sigmas, sigma, step, Math.min(step + 1, ORDER))],
    );
}

function equalSteps(sigmas: readonly number[], sigma: number, step: number, order: number): Evaluation {
  const next = sigmas[step + 1]!;
  if (next === 0) return lastOfStep(step, sigma, eulerStep(sigma, next));
  return adamsStep(
    step,
    sigma,
    EQUAL_STEPS[order - 1]!.map((weight) => weight * (next - sigma)),
  );
}

/** x += Σ weights[k] · velocity of step − k; stores the velocity. */
function adamsStep(step: number, sigma: number, weights: readonly number[]): Evaluation {
  const velocities = weights.map((weight, k): [number, Combination] => [
    weight,
    k === 0 ? VELOCITY : { [`velocity.${step - k}`]: 1 },
  ]);
  return lastOfStep(step, sigma, assign(`velocity.${step}`, VELOCITY), assign("x", combine([1, X], ...velocities)));
}

function rungeKuttaStep(step: number, sigma: number, next: number): readonly Evaluation[] {
  const h = next - sigma;
  const middle = sigma + h / 2;
  const fromStart = (length: number) => assign("x", combine([1, { start: 1 }], [length, VELOCITY]));
  const add = (weight: number) => assign("end", combine([1, { end: 1 }], [weight, VELOCITY]));
  return [
    withinStep(
      step,
      sigma,
      assign(`velocity.${step}`, VELOCITY),
      assign("start", X),
      assign("end", combine([1, X], [h / 6, VELOCITY])),
      eulerStep(sigma, middle),
    ),
    withinStep(step, middle, add(h / 3), fromStart(h / 2)),
    withinStep(step, middle, add(h / 3), fromStart(h)),
    lastOfStep(step, next, assign("x", combine([1, { end: 1 }], [h / 6, VELOCITY]))),
  ];
}

/** ∫ of the Lagrange polynomial that is 1 at nodes[k] and 0 at the others. Gauss' two points are exact up to cubics. */
function integrateBasis(nodes: readonly number[], k: number, from: number, to: number): number {
  const [middle, half] = [(from + to) / 2, (to - from) / 2];
  const basis = (t: number) =>
    nodes.reduce((product, node, j) => (j === k ? product : (product * (t - node)) / (nodes[k]! - node)), 1);
  return half * (basis(middle - half / Math.sqrt(3)) + basis(middle + half / Math.sqrt(3)));
}
