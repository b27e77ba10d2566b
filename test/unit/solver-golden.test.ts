import { describe, expect, it } from "vitest";
import { compileSolver, type SolverName } from "../../runtime/sampling/solver.ts";
import { readTensors } from "../../tools/golden/files.ts";
import { parseVelocity, scheduleOf } from "../../tools/golden/solver-kind.ts";
import { runPlan } from "../reference/solver.ts";
import { maxAbsError } from "../support/compare.ts";
import { BUILT_CASES, readGoldenCase, readGoldenFile } from "../support/golden-cases.ts";

interface SolverCase {
  readonly solver: SolverName;
  readonly sigmas: readonly number[];
  readonly velocity: string;
  readonly tolerance: { readonly maxAbs: number };
}

describe("plans, carried out on the host, give the reference's steps", () => {
  it.each(BUILT_CASES.filter((name) => name.startsWith("solver-")))("%s", (name) => {
    const { solver, sigmas, velocity: formula, tolerance } = readGoldenCase(name) as SolverCase;
    const tensors = readTensors(readGoldenFile(name, "tensors.safetensors"));
    const start = [...tensors.get("x")!.values];
    const plan = compileSolver(solver, scheduleOf(solver, sigmas));
    const velocityAt = parseVelocity(formula);
    const steps: (readonly number[])[] = [];
    runPlan(plan, start, {
      velocity: (x, sigma) => x.map((value) => velocityAt(value, sigma)),
      noise: (i) => [...tensors.get("noise")!.values.subarray(plan[i]!.step * start.length)].slice(0, start.length),
      onEvaluation: (x) => steps.push(x),
    });
    expect(steps).toHaveLength([...tensors.keys()].filter((tensor) => tensor.startsWith("step.")).length);
    for (const [i, actual] of steps.entries())
      expect(maxAbsError(actual, tensors.get(`step.${i}`)!.values), `step ${i}`).toBeLessThanOrEqual(tolerance.maxAbs);
  });
});

describe("parseVelocity", () => {
  it("reads the numbers of the formula", () => {
    const velocityAt = parseVelocity("0.5*x*cos(2*sigma)+sin(1.5*x + 4*sigma), elementwise; sigma is the current one");
    expect(velocityAt(0.7, 0.3)).toBeCloseTo(0.5 * 0.7 * Math.cos(0.6) + Math.sin(1.05 + 1.2), 12);
  });

  it("refuses another formula", () => {
    expect(() => parseVelocity("x*x")).toThrow("x*x");
  });
});

describe("scheduleOf", () => {
  it("takes each sigma of Heun's list once, and the lists of others as they are", () => {
    expect(scheduleOf("heun", [1, 0.6, 0.6, 0.2, 0.2, 0])).toEqual([1, 0.6, 0.2, 0]);
    expect(scheduleOf("heun", [1, 0])).toEqual([1, 0]);
    expect(scheduleOf("euler", [1, 0.6, 0])).toEqual([1, 0.6, 0]);
  });
});
