import { Gpu } from "../../runtime/gpu/device.ts";
import { readMatrix, writeMatrix } from "../../runtime/gpu/chunked-matrix.ts";
import { compileSolver, type SolverName, SOLVERS } from "../../runtime/sampling/solver.ts";
import { SolverRun } from "../../runtime/sampling/solver-run.ts";
import { floats, type GoldenCase, type GoldenContext } from "./context.ts";
import type { Comparison } from "./judge.ts";

/** The 64 values of a case as latents: eight tokens in three chunks. */
const COLUMNS = 8;
const ROWS_PER_CHUNK = 3;

export async function solverKind(context: GoldenContext, golden: GoldenCase): Promise<Comparison[]> {
  const tensors = await context.tensors(golden);
  const solver = golden["solver"] as string;
  if (!isSolver(solver)) throw new Error(`unknown solver ${solver}`);
  const velocityAt = parseVelocity(golden["velocity"] as string);
  const program = compileSolver(solver, scheduleOf(solver, golden["sigmas"] as readonly number[]));
  const start = floats(tensors, "x");
  const noise = tensors.has("noise") ? floats(tensors, "noise") : undefined;
  const gpu = await Gpu.open(context.platform.gpu);
  try {
    return await gpu.checked(golden.name, async () => {
      using scope = gpu.memory.scope();
      const { recorder } = gpu;
      const rows = (label: string) => scope.matrix(label, "f32", start.length / COLUMNS, COLUMNS, ROWS_PER_CHUNK);
      const [latents, velocity] = [rows("latents"), rows("velocity")];
      writeMatrix(recorder, latents, start);
      const run = new SolverRun({ recorder, scope, latents, program });
      const comparisons: Comparison[] = [];
      for (const [i, evaluation] of program.entries()) {
        const { step, sigma } = evaluation;
        const x = await readMatrix(recorder, latents);
        writeMatrix(
          recorder,
          velocity,
          x.map((value) => velocityAt(value, sigma)),
        );
        run.apply(evaluation, velocity, noise?.subarray(step * start.length, (step + 1) * start.length));
        const name = `step.${i}`;
        comparisons.push({ name, actual: await readMatrix(recorder, latents), expected: floats(tensors, name) });
      }
      const steps = [...tensors.keys()].filter((name) => name.startsWith("step.")).length;
      if (steps !== program.length) throw new Error(`${steps} steps are expected; ${solver} makes ${program.length}`);
      return comparisons;
    });
  } finally {
    gpu.destroy();
  }
}

const isSolver = (name: string): name is SolverName => Object.hasOwn(SOLVERS, name);

/** Cases of Heun's method list each evaluated sigma: all except the first and last one twice. */
export function scheduleOf(solver: SolverName, sigmas: readonly number[]): readonly number[] {
  return solver === "heun" ? sigmas.filter((_, i) => i === 0 || i % 2 === 1) : sigmas;
}

/** The velocity `a*x*cos(b*sigma)+sin(c*x+d*sigma)` with the numbers of a case. */
export function parseVelocity(formula: string): (x: number, sigma: number) => number {
  const number = String.raw`(\d+(?:\.\d+)?)`;
  const pattern = String.raw`^${number}\*x\*cos\(${number}\*sigma\)\+sin\(${number}\*x\+${number}\*sigma\)`;
  const numbers = new RegExp(pattern).exec(formula.replaceAll(" ", ""))?.slice(1).map(Number);
  if (!numbers) throw new Error(`unknown velocity ${formula}`);
  const [a, b, c, d] = numbers as [number, number, number, number];
  return (x, sigma) => a * x * Math.cos(b * sigma) + Math.sin(c * x + d * sigma);
}
