import { KleinbildError } from "../errors.ts";
import type { MemoryScope } from "../gpu/memory.ts";
import type { Recorder } from "../gpu/recorder.ts";
import { accumulateRows, copyRows, overwriteRows, writeRows } from "../gpu/rows.ts";
import type { Rows } from "../gpu/tensor.ts";
import type { Assignment, Evaluation, Register } from "./solver.ts";

export interface SolverRunOptions {
  readonly recorder: Recorder;
  /** Where registers are kept; they are gone from it as soon as nothing reads them. */
  readonly scope: MemoryScope;
  /** The register x: f32 [tokens, channels], the caller's, changed in place. */
  readonly latents: Rows;
  readonly plan: readonly Evaluation[];
}

/** Executes a solver's plan on the GPU, evaluation by evaluation; what it keeps between them is as large as the latents. */
export class SolverRun {
  readonly #recorder: Recorder;
  readonly #scope: MemoryScope;
  readonly #latents: Rows;
  readonly #plan: readonly Evaluation[];
  readonly #registers = new Map<Register, Rows>();
  /** Of each assignment, the solver's registers that nothing reads after it. */
  readonly #lastReads: ReadonlyMap<Assignment, readonly Register[]>;
  #next = 0;

  constructor({ recorder, scope, latents, plan }: SolverRunOptions) {
    this.#recorder = recorder;
    this.#scope = scope;
    this.#latents = latents;
    this.#plan = plan;
    this.#lastReads = findLastReads(plan);
  }

  /** The evaluation to come: the velocity at its sigma and the latents as they are is what `apply` wants. */
  get next(): Evaluation | undefined {
    return this.#plan[this.#next];
  }

  /**
   * Makes of the latents what `evaluation` says.
   *
   * @param evaluation  the plan's next one
   * @param velocity    at the latents and the evaluation's sigma, f32, cut like the latents; stays the caller's, unchanged
   * @param noise       [tokens, channels] standard normal, independent from evaluation to evaluation; wanted where
   *                    `evaluation.needsNoise`
   * @throws KleinbildError `internal` out of order, or without the noise that is needed
   */
  apply(evaluation: Evaluation, velocity: Rows, noise?: Float32Array): void {
    if (evaluation !== this.next)
      throw new KleinbildError("internal", `Evaluation ${this.#next} of the solver's plan is next, and no other.`);
    if (evaluation.needsNoise) {
      if (!noise) throw new KleinbildError("internal", `The solver needs noise in step ${evaluation.step}.`);
      writeRows(this.#recorder, this.#keep("noise"), noise);
    }
    this.#next++;
    this.#registers.set("x", this.#latents).set("velocity", velocity);
    for (const assignment of evaluation.assignments) {
      this.#assign(assignment);
      for (const register of this.#lastReads.get(assignment) ?? []) this.#forget(register);
    }
    this.#forget("noise");
    this.#registers.delete("velocity");
  }

  /** Gives back the registers of a plan that was not carried through. */
  dispose(): void {
    this.#registers.delete("x");
    this.#registers.delete("velocity");
    for (const register of [...this.#registers.keys()]) this.#forget(register);
  }

  /** One dispatch a term beside the target's own; a copy where the target is not among the terms. */
  #assign({ target, terms }: Assignment): void {
    const own = terms.find(({ register }) => register === target);
    const others = terms.filter((term) => term !== own);
    const base = own ?? others.shift();
    if (!base) throw new KleinbildError("internal", `Nothing is assigned to the solver's register ${target}.`);
    const source = this.#read(base.register);
    const rows = this.#registers.get(target) ?? this.#keep(target);
    if (!own) overwriteRows(this.#recorder, source, rows);
    let scale = base.factor;
    for (const { register, factor } of others) {
      accumulateRows(this.#recorder, rows, scale, this.#read(register), factor);
      scale = 1;
    }
    if (scale === 1) return;
    const copy = copyRows(this.#recorder, this.#scope, rows); // a kernel cannot bind one buffer for reading and writing
    accumulateRows(this.#recorder, rows, scale, copy, 0);
    this.#scope.releaseRows(copy);
  }

  #read(register: Register): Rows {
    const rows = this.#registers.get(register);
    if (!rows) throw new KleinbildError("internal", `The solver's register ${register} is read before it is written.`);
    return rows;
  }

  #keep(register: Register): Rows {
    const { rows, columns, rowsPerChunk } = this.#latents;
    const kept = this.#scope.rows(`solver ${register}`, "f32", rows, columns, rowsPerChunk);
    this.#registers.set(register, kept);
    return kept;
  }

  #forget(register: Register): void {
    this.#scope.releaseRows(this.#registers.get(register));
    this.#registers.delete(register);
  }
}

function findLastReads(plan: readonly Evaluation[]): ReadonlyMap<Assignment, readonly Register[]> {
  const last = new Map<Register, Assignment>();
  for (const { assignments } of plan)
    for (const assignment of assignments) {
      last.set(assignment.target, assignment); // read by nothing: gone at once
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
