import type { StepCacheOptions } from "./step-cache.ts";

/**
 * Decides which evaluations of one guidance pass reuse earlier work. For each evaluation call `mayReuse`; if it allows it,
 * call `reuses` with the measured change; if the evaluation computes, call `computed` after it.
 */
export class StepCacheDecision {
  readonly #options: StepCacheOptions;
  readonly #limit: number;
  #hasCached = false;
  /** Evaluations that have reused since the last one that computed. */
  #consecutive = 0;
  /** TeaCache: estimated change of the output since the last evaluation that computed. */
  #distance = 0;

  constructor(options: StepCacheOptions) {
    const { method, maxConsecutive } = options;
    this.#options = options;
    this.#limit = method.kind === "dual-block" ? Math.min(method.skipInterval, maxConsecutive) : maxConsecutive;
  }

  /** Whether this step or a later one may reuse, so that caching the results pays. */
  isWorthCaching(step: number): boolean {
    return step < this.#options.endStep;
  }

  /** Whether the window and the limits let an evaluation of `step` reuse, if its input has changed little. */
  mayReuse(step: number): boolean {
    const { startStep, endStep } = this.#options;
    return this.#hasCached && this.#consecutive < this.#limit && step >= startStep && step < endStep;
  }

  /**
   * Whether the evaluation reuses. Call it only where `mayReuse` holds.
   *
   * @param change  relative L1 change of the tensor that the method compares: since the last evaluation that computed, for
   *   TeaCache since the last evaluation
   */
  reuses(change: number): boolean {
    if (!this.#isSmall(change)) return false;
    this.#consecutive++;
    return true;
  }

  /** Notes that the evaluation computed all blocks, and that their change is cached. */
  computed(): void {
    this.#hasCached = true;
    this.#consecutive = 0;
    this.#distance = 0;
  }

  /** Strictly below, so that 0 never reuses; a change that is not a number (of nothing but zeros) is not small. */
  #isSmall(change: number): boolean {
    const { method } = this.#options;
    switch (method.kind) {
      case "tea":
        this.#distance += estimate(method.coefficients, change);
        return this.#distance < method.distance;
      case "first-block":
      case "dual-block":
        return change < method.threshold;
      default:
        return method satisfies never;
    }
  }
}

/** The polynomial at `change`, by Horner's rule. Below 0 it counts as 0: a fit may be negative where it had no samples. */
function estimate(coefficients: readonly number[], change: number): number {
  return Math.max(
    0,
    coefficients.reduce((sum, coefficient) => sum * change + coefficient, 0),
  );
}
