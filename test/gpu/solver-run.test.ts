import { describe, expect, it, vi } from "vitest";
import type { Gpu } from "../../runtime/gpu/device.ts";
import { readMatrix, writeMatrix } from "../../runtime/gpu/chunked-matrix.ts";
import { compileSolver, type SolverName, SOLVERS } from "../../runtime/sampling/solver.ts";
import type { Evaluation } from "../../runtime/sampling/solvers/program.ts";
import { SolverRun } from "../../runtime/sampling/solver-run.ts";
import { runPlan } from "../reference/solver.ts";
import { expectClose, randomValues } from "../support/compare.ts";
import { useGpu } from "../support/gpu.ts";

const ROWS = 7;
const COLUMNS = 13;
const ROWS_PER_CHUNK = 3;
const CHUNKS = 3;
const COUNT = ROWS * COLUMNS;
const SIGMAS = [1, 0.95, 0.86, 0.7, 0.45, 0.2, 0];

const START = randomValues(COUNT);
const velocityAt = (x: number, sigma: number) => Math.sin(2 * x + 3 * sigma) + 0.5 * x;
const noiseOf = (evaluation: number) => randomValues(COUNT, 100 + evaluation);
/** An evaluation with these assignments alone. */
const single = (assignments: Evaluation["assignments"]): Evaluation => ({
  step: 0,
  sigma: 0.5,
  assignments,
  needsNoise: false,
  endsStep: true,
});

/** The latents after a program on the GPU. */
async function runOnGpu(gpu: Gpu, program: readonly Evaluation[]): Promise<Float32Array> {
  using scope = gpu.memory.scope();
  const { recorder } = gpu;
  const rows = (label: string) => scope.matrix(label, "f32", ROWS, COLUMNS, ROWS_PER_CHUNK);
  return await gpu.checked("solver", async () => {
    const [latents, velocity] = [rows("latents"), rows("velocity")];
    writeMatrix(recorder, latents, START);
    const run = new SolverRun({ recorder, scope, latents, program });
    for (const [i, evaluation] of program.entries()) {
      expect(run.next).toBe(evaluation);
      const values = (await readMatrix(recorder, latents)).map((x) => velocityAt(x, evaluation.sigma));
      writeMatrix(recorder, velocity, values);
      run.apply(evaluation, velocity, evaluation.needsNoise ? noiseOf(i) : undefined);
      expect(await readMatrix(recorder, velocity)).toEqual(values);
    }
    expect(run.next).toBeUndefined();
    return readMatrix(recorder, latents);
  });
}

describe("a solver's program on the GPU", () => {
  const gpu = useGpu();

  it.each(Object.keys(SOLVERS) as SolverName[])("gives what it gives on the host: %s", async (name) => {
    const program = compileSolver(name, SIGMAS);
    const expected = runPlan(program, [...START], {
      velocity: (x, sigma) => x.map((value) => velocityAt(value, sigma)),
      noise: (i) => [...noiseOf(i)],
    });
    expectClose(await runOnGpu(gpu(), program), expected, { absolute: 2e-5 });
  });

  it("scales a register that is its own only term, copies one, and copies and scales one", async () => {
    const x = (factor: number) => [{ register: "x", factor }];
    const program = [
      single([{ target: "kept", terms: x(1) }]),
      single([
        { target: "x", terms: x(-2) },
        { target: "scaled", terms: x(0.5) },
        {
          target: "x",
          terms: [
            { register: "kept", factor: 4 },
            { register: "scaled", factor: 3 },
          ],
        },
      ]),
    ];
    expectClose(
      await runOnGpu(gpu(), program),
      START.map((value) => 4 * value - 3 * value),
      { absolute: 1e-6 },
    );
  });

  it("takes one dispatch a chunk for an Euler step, and no buffers", async () => {
    using scope = gpu().memory.scope();
    const { recorder, memory } = gpu();
    const rows = (label: string) => scope.matrix(label, "f32", ROWS, COLUMNS, ROWS_PER_CHUNK);
    const [latents, velocity] = [rows("latents"), rows("velocity")];
    writeMatrix(recorder, latents, START);
    writeMatrix(recorder, velocity, randomValues(COUNT, 2));
    const program = compileSolver("euler", SIGMAS);
    const run = new SolverRun({ recorder, scope, latents, program });
    const dispatch = vi.spyOn(recorder, "dispatch");
    const copy = vi.spyOn(recorder, "copy");
    const { currentBytes } = memory.report();
    try {
      for (const evaluation of program) run.apply(evaluation, velocity);
      expect(dispatch).toHaveBeenCalledTimes(CHUNKS * program.length);
      expect(copy).not.toHaveBeenCalled();
      expect(memory.report().currentBytes).toBe(currentBytes);
    } finally {
      dispatch.mockRestore();
      copy.mockRestore();
    }
    await recorder.settle();
  });

  it.each(["dpmpp-3m", "dpmpp-sde", "unipc-3", "pndm"] as const)(
    "gives back what it keeps, at the end and when it is given up: %s",
    async (name) => {
      const { recorder, memory } = gpu();
      const program = compileSolver(name, SIGMAS);
      for (const evaluations of [program.length, 2]) {
        using scope = memory.scope();
        const rows = (label: string) => scope.matrix(label, "f32", ROWS, COLUMNS, ROWS_PER_CHUNK);
        const [latents, velocity] = [rows("latents"), rows("velocity")];
        writeMatrix(recorder, latents, START);
        writeMatrix(recorder, velocity, randomValues(COUNT, 2));
        const { currentBytes } = memory.report();
        const run = new SolverRun({ recorder, scope, latents, program });
        for (const [i, evaluation] of program.slice(0, evaluations).entries())
          run.apply(evaluation, velocity, noiseOf(i));
        await recorder.settle();
        scope.trim();
        expect(memory.report().currentBytes > currentBytes).toBe(evaluations < program.length);
        run.dispose();
        scope.trim();
        expect(memory.report().currentBytes).toBe(currentBytes);
      }
    },
  );

  it("refuses evaluations out of order, noise that is missing, and registers that were never written", () => {
    using scope = gpu().memory.scope();
    const { recorder } = gpu();
    const rows = (label: string) => scope.matrix(label, "f32", ROWS, COLUMNS, ROWS_PER_CHUNK);
    const [latents, velocity] = [rows("latents"), rows("velocity")];
    const internal = expect.objectContaining({ code: "internal" });
    const program = compileSolver("lcm", SIGMAS);
    const run = new SolverRun({ recorder, scope, latents, program });
    expect(() => run.apply(program[1]!, velocity, noiseOf(1))).toThrow(internal);
    expect(() => run.apply(program[0]!, velocity)).toThrow(internal);
    run.apply(program[0]!, velocity, noiseOf(0));
    expect(() => run.apply(program[0]!, velocity, noiseOf(0))).toThrow(internal);
    const unwritten = single([{ target: "x", terms: [{ register: "nowhere", factor: 1 }] }]);
    const other = new SolverRun({ recorder, scope, latents, program: [unwritten] });
    expect(() => other.apply(unwritten, velocity)).toThrow(internal);
    recorder.flush();
  });
});
