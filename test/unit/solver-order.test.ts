import { describe, expect, it } from "vitest";
import { compileSolver, type SolverName, SOLVERS } from "../../runtime/sampling/solver.ts";
import { flowTo, gaussianVelocity, marginalMean, marginalVariance } from "../reference/gaussian-flow.ts";
import { runPlan } from "../reference/solver.ts";

const FROM = 0.9;
const TO = 0.2;
const START = 1.3;

/**
 * Orders of accuracy that the formulas have on equal steps, and where it is not the order of their name, why:
 * UniPC's corrector adds one, first steps of lower order take one; DPM-Solver++ (3M) as published gives the second
 * difference half of its Taylor weight.
 */
const ORDERS: Readonly<Partial<Record<SolverName, number>>> = {
  euler: 1,
  heun: 2,
  kdpm2: 2,
  "dpmpp-2m": 2,
  "dpmpp-3m": 2,
  "dpmpp-singlestep": 2,
  deis: 2,
  "unipc-2": 3,
  "unipc-3": 3,
  pndm: 4,
};

/** Weak orders: of the variance, the mean being exact. The SDE of third order has the reference's sign. */
const WEAK_ORDERS: Readonly<Partial<Record<SolverName, number>>> = {
  "euler-ancestral": 1,
  ddpm: 1,
  "kdpm2-ancestral": 2,
  "dpmpp-sde": 2,
  "dpmpp-2m-sde": 2,
  "dpmpp-3m-sde": 1,
};

/** n steps of lengths in proportion, and one more that is not looked at: solvers end with a step of first order. */
function schedule(lengths: readonly number[]): readonly number[] {
  const total = lengths.reduce((sum, length) => sum + length, 0);
  let passed = 0;
  const inner = lengths.slice(0, -1).map((length) => {
    passed += length;
    return FROM + ((TO - FROM) * passed) / total;
  });
  return [FROM, ...inner, TO, TO / 2];
}

const equal = (steps: number): readonly number[] => Array.from({ length: steps }, () => 1);
/** Equal steps after short ones, each twice as long as the one before: first steps of low order do little harm. */
const slowStart = (steps: number): readonly number[] => equal(steps).map((_, i) => Math.min(1, 2 ** (i - 10)));

/** Registers at TO: of each coordinate, with a velocity that is affine in the first and linear in the others. */
function atEnd(name: SolverName, lengths: readonly number[], start: (noises: number) => readonly number[]) {
  const plan = compileSolver(name, schedule(lengths));
  let result: readonly number[] = [];
  runPlan(plan, start(plan.length), {
    velocity: (x, sigma) => {
      const { offset, slope } = gaussianVelocity(sigma);
      return x.map((value, i) => slope * value + (i === 0 ? offset : 0));
    },
    noise: (evaluation) => Array.from({ length: 2 + plan.length }, (_, i) => (i === 2 + evaluation ? 1 : 0)),
    onEvaluation: (x, i) => {
      if (plan[i]!.endsStep && plan[i]!.step === lengths.length - 1) result = x;
    },
  });
  return result;
}

const flowError = (name: SolverName, lengths: readonly number[]): number =>
  Math.abs(atEnd(name, lengths, () => [START])[0]! - flowTo(START, FROM, TO));

/** Mean and variance: the coordinates are the mean and the factors of the noise at the start and of that on the way. */
function moments(name: SolverName, lengths: readonly number[]): { readonly mean: number; readonly variance: number } {
  const [mean, ...factors] = atEnd(name, lengths, (noises) => [
    marginalMean(FROM),
    Math.sqrt(marginalVariance(FROM)),
    ...Array.from({ length: noises }, () => 0),
  ]);
  return { mean: mean!, variance: factors.reduce((sum, factor) => sum + factor ** 2, 0) };
}

/** log₂ of the ratio by which the error shrinks when the step size is halved. */
const order = (error: (steps: number) => number): number => Math.log2(error(160) / error(320));

describe("the error of the flow on normally distributed data", () => {
  for (const [name, expected] of Object.entries(ORDERS) as [SolverName, number][])
    it(`falls with the power ${expected} of the steps: ${name}`, () => {
      const measured = order((steps) => flowError(name, equal(steps)));
      expect(measured).toBeGreaterThan(expected - 0.1);
      expect(measured).toBeLessThan(expected + 0.25);
    });

  it("falls with the power 4 of the steps: lms after short first steps", () => {
    const measured = order((steps) => flowError("lms", slowStart(steps)));
    expect(measured).toBeGreaterThan(3.9);
    expect(measured).toBeLessThan(4.4);
  });

  it("falls with the power 2 of the steps: lms and ipndm, whose first step is of first order", () => {
    for (const name of ["lms", "ipndm"] as const)
      expect(order((steps) => flowError(name, equal(steps)))).toBeCloseTo(2, 1);
  });
});

describe("the marginal on normally distributed data", () => {
  for (const [name, expected] of Object.entries(WEAK_ORDERS) as [SolverName, number][])
    it(`has the right mean, and a variance whose error falls with the power ${expected} of the steps: ${name}`, () => {
      expect(moments(name, equal(20)).mean).toBeCloseTo(marginalMean(TO), 12);
      const error = (steps: number) => Math.abs(moments(name, equal(steps)).variance - marginalVariance(TO));
      expect(order(error)).toBeGreaterThan(expected - 0.1);
      expect(order(error)).toBeLessThan(expected + 0.25);
    });
});

describe("the marginal where all data are one picture", () => {
  const PICTURE = 0.8;
  const sigmas = [1, 0.95, 0.8, 0.55, 0.2, 0];
  const stochastic = (Object.keys(SOLVERS) as SolverName[]).filter((name) => SOLVERS[name].stochastic);

  it.each(stochastic)("is exact after every step: %s", (name) => {
    const plan = compileSolver(name, sigmas);
    const start = [0, 1, ...plan.map(() => 0)];
    // the two-stage SDE takes 1 − 10⁻⁴ for 1
    const digits = name === "dpmpp-sde" ? 3 : 12;
    runPlan(plan, start, {
      velocity: (x, sigma) => x.map((value, i) => (value - (i === 0 ? PICTURE : 0)) / sigma),
      noise: (evaluation) => start.map((_, i) => (i === 2 + evaluation ? 1 : 0)),
      onEvaluation: ([mean, ...factors], i) => {
        const { step, endsStep } = plan[i]!;
        if (!endsStep) return;
        const next = sigmas[step + 1]!;
        expect(mean).toBeCloseTo((1 - next) * PICTURE, digits);
        expect(factors.reduce((sum, factor) => sum + factor ** 2, 0)).toBeCloseTo(next ** 2, digits);
      },
    });
  });
});

describe("a step of a linear multistep method", () => {
  /** Velocities that depend on sigma alone: a cubic, whose integral is known. */
  const cubic = (sigma: number) => 4 * sigma ** 3 - 3 * sigma ** 2 + 2 * sigma - 1;
  const integral = (sigma: number) => sigma ** 4 - sigma ** 3 + sigma ** 2 - sigma;
  const grown = [0.95, 0.9, 0.8, 0.72, 0.5, 0.1, 0.05, 0];
  const equalSteps = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0];

  it.each([
    ["lms", grown, 3],
    ["ipndm", equalSteps, 3],
    ["pndm", equalSteps, 0],
  ] as const)("integrates a cubic exactly: %s", (name, sigmas, exactFrom) => {
    const plan = compileSolver(name, sigmas);
    let before = 0;
    const errors: number[] = [];
    runPlan(plan, [0], {
      velocity: (_, sigma) => [cubic(sigma)],
      onEvaluation: ([x], i) => {
        const { step, endsStep } = plan[i]!;
        if (!endsStep) return;
        errors.push(Math.abs(x! - before - (integral(sigmas[step + 1]!) - integral(sigmas[step]!))));
        before = x!;
      },
    });
    // the last step, to 0, is of first order
    const exact = sigmas.slice(0, -1).map((_, step) => step >= exactFrom && step < sigmas.length - 2);
    expect(errors.map((error) => error < 1e-14)).toEqual(exact);
  });
});
