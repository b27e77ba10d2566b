import { describe, expect, it } from "vitest";
import { buildSigmas, type SigmaSpacing } from "../../runtime/sampling/schedule.ts";
import { compileSolver, type SolverName, SOLVERS } from "../../runtime/sampling/solver.ts";
import { runPlan } from "../reference/solver.ts";

const NAMES = Object.keys(SOLVERS) as SolverName[];
const SPACINGS: readonly SigmaSpacing[] = ["uniform", "karras", "exponential", "beta"];
const TOKENS = 1024;

/** Evaluations in n steps, if these are not n. */
const EVALUATIONS: Readonly<Partial<Record<SolverName, (steps: number) => number>>> = {
  heun: (n) => 2 * n - 1,
  kdpm2: (n) => 2 * n - 1,
  "kdpm2-ancestral": (n) => 2 * n - 1,
  "dpmpp-sde": (n) => 2 * n - 1,
  pndm: (n) => (n < 4 ? 4 * n - 3 : n + 9),
};

/**
 * What is wrong with a plan: factors that are not finite, evaluations too many or outside their step, steps that do not end
 * in order, or a run that misses the picture where all data are one.
 */
function faultsOf(name: SolverName, sigmas: Float32Array): readonly string[] {
  const steps = sigmas.length - 1;
  const plan = compileSolver(name, sigmas);
  const terms = plan.flatMap(({ assignments }) => assignments.flatMap((assignment) => assignment.terms));
  const ends = plan.filter(({ endsStep }) => endsStep).map(({ step }) => step);
  const picture = 0.3;
  const [reached] = runPlan(plan, [1.5], {
    velocity: ([x], sigma) => [(x! - picture) / sigma],
    noise: (evaluation) => [Math.sin(7 * evaluation)],
  });
  const rules: readonly (readonly [string, boolean])[] = [
    ["factors are finite", terms.every(({ factor }) => Number.isFinite(factor))],
    ["evaluations are as many as they should", plan.length === (EVALUATIONS[name]?.(steps) ?? steps)],
    ["it starts at the first sigma", plan[0]!.sigma === sigmas[0]],
    [
      "evaluations lie in their steps",
      plan.every((of) => of.sigma <= sigmas[of.step]! && of.sigma >= sigmas[of.step + 1]!),
    ],
    ["none is at 0", plan.every(({ sigma }) => sigma > 0)],
    ["steps end in order", ends.length === steps && ends.every((step, i) => step === i)],
    ["the last evaluation ends the last step", plan.at(-1)!.endsStep],
    ["it reaches the picture", Math.abs(reached! - picture) < 1e-9],
  ];
  return rules.filter(([, holds]) => !holds).map(([rule]) => `${steps} steps: not so that ${rule}`);
}

describe.each(NAMES)("the plan of %s", (name) => {
  it.each(SPACINGS)("is sound over schedules with %s spacing of 1 to 50 steps", (spacing) => {
    const schedules = Array.from({ length: 50 }, (_, i) => buildSigmas({ tokens: TOKENS, steps: i + 1, spacing }));
    expect(schedules.flatMap((sigmas) => faultsOf(name, sigmas))).toEqual([]);
  });

  it("takes noise only where it says so, and none in the last evaluation", () => {
    for (const steps of [1, 2, 7]) {
      const plan = compileSolver(name, buildSigmas({ tokens: TOKENS, steps }));
      for (const { needsNoise, assignments } of plan)
        expect(assignments.some(({ terms }) => terms.some(({ register }) => register === "noise"))).toBe(needsNoise);
      expect(plan.some(({ needsNoise }) => needsNoise)).toBe(SOLVERS[name].stochastic && steps > 1);
      expect(plan.at(-1)!.needsNoise).toBe(false);
    }
  });

  it("keeps nothing that is not read", () => {
    const assignments = compileSolver(name, buildSigmas({ tokens: TOKENS, steps: 7 })).flatMap((of) => of.assignments);
    const unread = assignments.filter(
      ({ target }, i) =>
        target !== "x" &&
        !assignments.slice(i + 1).some(({ terms }) => terms.some(({ register }) => register === target)),
    );
    expect(unread).toEqual([]);
  });

  it("keeps a schedule that starts below 1 and ends above 0 finite", () => {
    for (const steps of [1, 2, 3, 14, 15, 16]) {
      const sigmas = Array.from({ length: steps + 1 }, (_, i) => 0.8 - (0.7 * i) / steps);
      const terms = compileSolver(name, sigmas).flatMap((of) => of.assignments.flatMap(({ terms }) => terms));
      expect(terms.every(({ factor }) => Number.isFinite(factor))).toBe(true);
    }
  });
});

describe("planSolver", () => {
  it("makes of an Euler step one assignment: x + (next − sigma) · velocity", () => {
    expect(compileSolver("euler", [1, 0.75, 0])).toEqual([
      {
        step: 0,
        sigma: 1,
        assignments: [
          {
            target: "x",
            terms: [
              { register: "x", factor: 1 },
              { register: "velocity", factor: -0.25 },
            ],
          },
        ],
        needsNoise: false,
        endsStep: true,
      },
      {
        step: 1,
        sigma: 0.75,
        assignments: [
          {
            target: "x",
            terms: [
              { register: "x", factor: 1 },
              { register: "velocity", factor: -0.75 },
            ],
          },
        ],
        needsNoise: false,
        endsStep: true,
      },
    ]);
  });

  it.each([
    ["one sigma", [1]],
    ["none", []],
    ["a first one above 1", [1.0001, 0.5]],
    ["a last one below 0", [1, -0.0001]],
    ["two alike", [1, 0.5, 0.5, 0]],
    ["one that rises", [1, 0.5, 0.6, 0]],
    ["one that is no number", [1, Number.NaN, 0]],
  ])("refuses %s", (_, sigmas) => {
    expect(() => compileSolver("euler", sigmas)).toThrow(expect.objectContaining({ code: "internal" }));
  });

  it("takes two sigmas that are the ends of the range, as numbers or f32", () => {
    expect(compileSolver("euler", [1, 0])).toHaveLength(1);
    expect(compileSolver("euler", Float32Array.of(1, 0))).toEqual(compileSolver("euler", [1, 0]));
  });
});

describe("a lower order at the end", () => {
  const uniform = (steps: number) => Array.from({ length: steps + 1 }, (_, i) => 1 - i / steps);
  const keptBefore = (name: SolverName, steps: number, step: number): number => {
    const { assignments } = compileSolver(name, uniform(steps))[step]!;
    const read = assignments.flatMap(({ terms }) => terms.map(({ register }) => register));
    return new Set(read.filter((register) => register.startsWith("data.") && register !== `data.${step}`)).size;
  };

  it("of DPM-Solver++ (3M) is second in the last step but one, up to 14 steps", () => {
    expect(keptBefore("dpmpp-3m", 14, 11)).toBe(2);
    expect(keptBefore("dpmpp-3m", 14, 12)).toBe(1);
    expect(keptBefore("dpmpp-3m", 15, 13)).toBe(2);
  });

  it("of DPM-Solver++ is first in the last step, however many there are", () => {
    for (const name of ["dpmpp-2m", "dpmpp-3m"] as const)
      for (const steps of [2, 14, 15, 50]) expect(keptBefore(name, steps, steps - 1)).toBe(0);
  });

  it("of DEIS is first in the last step up to 14 steps, and beyond only in a step to 0", () => {
    const past = (sigmas: readonly number[]) =>
      compileSolver("deis", sigmas)
        .at(-1)!
        .assignments.some(({ terms }) => terms.some(({ register }) => register === `noise.${sigmas.length - 3}`));
    const above0 = (steps: number) => Array.from({ length: steps + 1 }, (_, i) => 0.9 - (0.8 * i) / steps);
    expect(past(above0(14))).toBe(false);
    expect(past(above0(15))).toBe(true);
    expect(past(uniform(15))).toBe(false);
  });
});
