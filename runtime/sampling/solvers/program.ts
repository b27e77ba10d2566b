/**
 * A named vector of the size of the latents. `x`: the latents; `velocity`: the result of the evaluation; `noise`: standard
 * normal noise of this evaluation, independent of all other. Other names are a solver's own.
 */
export type Register = string;

interface Term {
  readonly register: Register;
  readonly factor: number;
}

/** target = Σ factor · register; the target may be among the registers. Assignments run in order. */
export interface Assignment {
  readonly target: Register;
  readonly terms: readonly Term[];
}

/** One evaluation of the velocity at (x, sigma), and the assignments that use it. */
export interface Evaluation {
  /** Index of the step that it belongs to, from 0. */
  readonly step: number;
  /** Where the velocity is evaluated. */
  readonly sigma: number;
  readonly assignments: readonly Assignment[];
  /** Whether an assignment reads `noise`. */
  readonly needsNoise: boolean;
  /** Whether x is now the latents after `step`. Otherwise the next evaluation of the same step is at x. */
  readonly endsStep: boolean;
}

/** Σ factor · register, by register. */
export type Combination = Readonly<Record<Register, number>>;

export const X: Combination = { x: 1 };
export const VELOCITY: Combination = { velocity: 1 };
export const NOISE: Combination = { noise: 1 };

/** The picture that the velocity at (x, sigma) points to: x0 = x − σ · velocity. */
export const dataAt = (sigma: number): Combination => ({ x: 1, velocity: -sigma });

/** Σ scale · combination. */
export function combine(...terms: readonly (readonly [scale: number, combination: Combination])[]): Combination {
  const total: Record<Register, number> = {};
  for (const [scale, combination] of terms)
    for (const [register, factor] of Object.entries(combination))
      total[register] = (total[register] ?? 0) + scale * factor;
  return total;
}

/** target = combination, without the registers that count nothing. */
export function assign(target: Register, combination: Combination): Assignment {
  const terms = Object.entries(combination).map(([register, factor]) => ({ register, factor }));
  return { target, terms: terms.filter(({ factor }) => factor !== 0) };
}

/** An evaluation after which x is the latents after `step`. */
export function lastOfStep(step: number, sigma: number, ...assignments: readonly Assignment[]): Evaluation {
  return { step, sigma, assignments, needsNoise: readsNoise(assignments), endsStep: true };
}

/** An evaluation after which the next one of the same step is at x. */
export function withinStep(step: number, sigma: number, ...assignments: readonly Assignment[]): Evaluation {
  return { step, sigma, assignments, needsNoise: readsNoise(assignments), endsStep: false };
}

/** The same program without assignments that nothing reads, such as predictions for steps that turn out not to use them. */
export function withoutUnread(evaluations: readonly Evaluation[]): readonly Evaluation[] {
  const read = new Set<Register>();
  const reversed = evaluations.toReversed().map((evaluation) => {
    read.add("x"); // the next evaluation reads it, or the caller
    const assignments = evaluation.assignments.toReversed().filter(({ target, terms }) => {
      if (!read.delete(target)) return false;
      for (const { register } of terms) read.add(register);
      return true;
    });
    return { ...evaluation, assignments: assignments.toReversed(), needsNoise: readsNoise(assignments) };
  });
  return reversed.toReversed();
}

function readsNoise(assignments: readonly Assignment[]): boolean {
  return assignments.some(({ terms }) => terms.some(({ register }) => register === "noise"));
}
