import type { Evaluation } from "../../runtime/sampling/solvers/program.ts";

export interface PlanRun {
  /** The velocity at (x, sigma). */
  readonly velocity: (x: readonly number[], sigma: number) => readonly number[];
  /** Noise of an evaluation that needs it. */
  readonly noise?: (evaluation: number) => readonly number[];
  /** Sees x after each evaluation. */
  readonly onEvaluation?: (x: readonly number[], evaluation: number) => void;
}

/** x after a solver's program, in f64. Reading a register that was never written, or noise unannounced, is an error. */
export function runPlan(program: readonly Evaluation[], start: readonly number[], run: PlanRun): readonly number[] {
  const registers = new Map<string, readonly number[]>([["x", start]]);
  const read = (name: string): readonly number[] => {
    const values = registers.get(name);
    if (!values) throw new Error(`${name} is read before it is written`);
    return values;
  };
  for (const [i, { sigma, assignments, needsNoise }] of program.entries()) {
    registers.set("velocity", run.velocity(read("x"), sigma));
    if (needsNoise) registers.set("noise", run.noise!(i));
    for (const { target, terms } of assignments) {
      const values = start.map((_, j) =>
        terms.reduce((total, { register, factor }) => total + factor * read(register)[j]!, 0),
      );
      registers.set(target, values);
    }
    registers.delete("velocity");
    registers.delete("noise");
    run.onEvaluation?.(read("x"), i);
  }
  return read("x");
}
