import { KleinbildError } from "../errors.ts";
import type { MemoryScope } from "../gpu/memory.ts";
import type { Recorder } from "../gpu/recorder.ts";
import { accumulateMatrix, copyMatrix, overwriteMatrix, writeMatrix } from "../gpu/chunked-matrix.ts";
import type { ChunkedMatrix } from "../gpu/tensor.ts";
import type { Assignment, Evaluation, Register } from "./solvers/program.ts";

export interface SolverRunOptions {
  readonly recorder: Recorder;
  /** Holds the registers; each is released as soon as nothing reads it any more. */
  readonly scope: MemoryScope;
  /** The register x: f32 [tokens, channels], the caller's, changed in place. */
  readonly latents: ChunkedMatrix;
  readonly program: readonly Evaluation[];
}

/** Executes a solver's program on the GPU, evaluation by evaluation. Every register is as large as the latents. */
export class SolverRun {
  readonly #recorder: Recorder;
  readonly #scope: MemoryScope;
  readonly #latents: ChunkedMatrix;
  readonly #program: readonly Evaluation[];
  readonly #registers = new Map<Register, ChunkedMatrix>();
  /** For each assignment, the registers that nothing reads after it. */
  readonly #lastReads: ReadonlyMap<Assignment, readonly Register[]>;
  #next = 0;

  constructor({ recorder, scope, latents, program }: SolverRunOptions) {
    this.#recorder = recorder;
    this.#scope = scope;
    this.#latents = latents;
    this.#program = program;
    this.#lastReads = findLastReads(program);
  }

  /** The next evaluation. `apply` takes the velocity at its sigma and the current latents. */
  get next(): Evaluation | undefined {
    return this.#program[this.#next];
  }

  /**
   * Updates the latents as `evaluation` says.
   *
   * @param evaluation  the next one of the program
   * @param velocity    at the latents and the evaluation's sigma, f32, cut like the latents; it stays unchanged
   * @param noise       [tokens, channels] standard normal, independent from evaluation to evaluation; required where
   *                    `evaluation.needsNoise`
   * @throws KleinbildError `internal` out of order, or without the noise that is needed
   */
  apply(evaluation: Evaluation, velocity: ChunkedMatrix, noise?: Float32Array): void {
    if (evaluation !== this.next)
      throw new KleinbildError("internal", `Evaluation ${this.#next} of the solver's program is the next one.`);
    if (evaluation.needsNoise) {
      if (!noise) throw new KleinbildError("internal", `The solver needs noise in step ${evaluation.step}.`);
      writeMatrix(this.#recorder, this.#allocate("noise"), noise);
    }
    this.#next++;
    this.#registers.set("x", this.#latents).set("velocity", velocity);
    for (const assignment of evaluation.assignments) {
      this.#assign(assignment);
      for (const register of this.#lastReads.get(assignment) ?? []) this.#release(register);
    }
    this.#release("noise");
    this.#registers.delete("velocity");
  }

  /** Releases the registers of a program that did not run to its end. */
  dispose(): void {
    this.#registers.delete("x");
    this.#registers.delete("velocity");
    for (const register of [...this.#registers.keys()]) this.#release(register);
  }

  /** One dispatch a term beside the target's own; a copy where the target is not among the terms. */
  #assign({ target, terms }: Assignment): void {
    const own = terms.find(({ register }) => register === target);
    const others = terms.filter((term) => term !== own);
    const base = own ?? others.shift();
    if (!base) throw new KleinbildError("internal", `Nothing is assigned to the solver's register ${target}.`);
    const source = this.#read(base.register);
    const rows = this.#registers.get(target) ?? this.#allocate(target);
    if (!own) overwriteMatrix(this.#recorder, source, rows);
    let scale = base.factor;
    for (const { register, factor } of others) {
      accumulateMatrix(this.#recorder, rows, scale, this.#read(register), factor);
      scale = 1;
    }
    if (scale === 1) return;
    const copy = copyMatrix(this.#recorder, this.#scope, rows); // a kernel cannot bind one buffer for reading and writing
    accumulateMatrix(this.#recorder, rows, scale, copy, 0);
    this.#scope.releaseMatrix(copy);
  }

  #read(register: Register): ChunkedMatrix {
    const rows = this.#registers.get(register);
    if (!rows) throw new KleinbildError("internal", `The solver's register ${register} is read before it is written.`);
    return rows;
  }

  #allocate(register: Register): ChunkedMatrix {
    const { rows, columns, rowsPerChunk } = this.#latents;
    const matrix = this.#scope.matrix(`solver ${register}`, "f32", rows, columns, rowsPerChunk);
    this.#registers.set(register, matrix);
    return matrix;
  }

  #release(register: Register): void {
    this.#scope.releaseMatrix(this.#registers.get(register));
    this.#registers.delete(register);
  }
}

function findLastReads(program: readonly Evaluation[]): ReadonlyMap<Assignment, readonly Register[]> {
  const last = new Map<Register, Assignment>();
  for (const { assignments } of program)
    for (const assignment of assignments) {
      last.set(assignment.target, assignment); // read by nothing: released at once
      for (const { register } of assignment.terms) last.set(register, assignment);
    }
  for (const given of ["x", "velocity", "noise"]) last.delete(given);
  const releases = new Map<Assignment, Register[]>();
  for (const [register, assignment] of last) {
    const registers = releases.get(assignment);
    if (registers) registers.push(register);
    else releases.set(assignment, [register]);
  }
  return releases;
}
