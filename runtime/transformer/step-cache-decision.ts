import type { StepCacheOptions } from "./step-cache.ts";

/**
 * When one guidance pass reuses. It is asked for evaluation after evaluation: `mayReuse`, then, where that allows it,
 * `reuses` with the measured change; whoever computes says so by `computed`.
 */
export class StepCacheDecision {
  readonly #options: StepCacheOptions;
  readonly #limit: number;
  #kept = false;
  /** Evaluations that reused since the last that computed. */
  #consecutive = 0;
  /** TeaCache: estimated change of the output since the last evaluation that computed. */
  #distance = 0;

  constructor(options: StepCacheOptions) {
    const { method, maxConsecutive } = options;
    this.#options = options;
    this.#limit = method.kind === "dual-block" ? Math.min(method.skipInterval, maxConsecutive) : maxConsecutive;
  }

  /** Whether this step or a later one may reuse, so that what is computed is worth keeping. */
  worthKeeping(step: number): boolean {
    return step < this.#options.endStep;
  }

  /** Whether window and limits let an evaluation of `step` reuse, if it has changed little enough. */
  mayReuse(step: number): boolean {
    const { startStep, endStep } = this.#options;
    return this.#kept && this.#consecutive < this.#limit && step >= startStep && step < endStep;
  }

  /**
   * Whether the evaluation reuses. Call it only where `mayReuse` holds.
   *
   * @param change  relative L1 change of what the method looks at: since the last evaluation that computed, for TeaCache
   *   since the last evaluation
   */
  reuses(change: number): boolean {
    if (!this.#isSmall(change)) return false;
    this.#consecutive++;
    return true;
  }

  /** The evaluation computed all blocks, and what they did is kept. */
  computed(): void {
    this.#kept = true;
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

/** The polynomial at `change` by Horner's rule. Below 0, which a fit may be where it had no samples, it counts as 0. */
function estimate(coefficients: readonly number[], change: number): number {
  return Math.max(
    0,
    coefficients.reduce((sum, coefficient) => sum * change + coefficient, 0),
  );
}
