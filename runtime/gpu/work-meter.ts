/** A submission is closed when its estimated time reaches this. */
export const SUBMIT_TARGET_MS = 30;
/** No dispatch is meant to last longer. */
export const DISPATCH_LIMIT_MS = 100;
/** Multiply-adds per millisecond assumed until measured: a slow integrated GPU; software adapters are found out quickly. */
const INITIAL_WORK_PER_MS = 20e6;
/** What is done sooner cannot be timed: it shows only that the rate is at least so high. */
const MIN_SAMPLE_MS = 2;
/** A kernel that is cheaper than others does not raise the rate for them by more than this at once. */
const MOST_GROWTH = 8;
/** Samples count by their time, the last ones of so much together, and the assumption as if measured in so much. */
const WINDOW_MS = 100;
const ASSUMED_MS = 10;

/** Estimates the GPU time of recorded work from the measured rate of earlier submissions. */
export class WorkMeter {
  readonly #queue: GPUQueue;
  #workPerMs: number;
  #pending = 0;
  /** Time that the rate was measured in, up to the window. */
  #measuredMs = ASSUMED_MS;
  /** When the last submission was done. */
  #doneAt = 0;

  /** @param workPerMs  the rate that is assumed until one is measured */
  constructor(queue: GPUQueue, workPerMs = INITIAL_WORK_PER_MS) {
    this.#queue = queue;
    this.#workPerMs = workPerMs;
  }

  /** Whether what is pending has reached a submission's share of time. */
  get due(): boolean {
    return this.#pending / this.#workPerMs >= SUBMIT_TARGET_MS;
  }

  /** Multiply-adds that fit into the longest dispatch allowed. */
  get workPerDispatch(): number {
    return this.#workPerMs * (DISPATCH_LIMIT_MS / 2);
  }

  /** Rows that fit into a dispatch, in whole tiles: at least one, since a tile is one workgroup's work. */
  rowsPerDispatch(workPerRow: number, tile: number): number {
    return Math.max(1, Math.floor(this.workPerDispatch / Math.max(1, workPerRow * tile))) * tile;
  }

  add(work: number): void {
    this.#pending += work;
  }

  /** Forgets what is pending, when it will not be submitted. */
  discarded(): void {
    this.#pending = 0;
  }

  /** Called after each submission, to time it. */
  submitted(): void {
    const work = this.#pending;
    this.#pending = 0;
    if (work === 0) return;
    const submittedAt = performance.now();
    void this.#queue.onSubmittedWorkDone().then(
      () => this.#done(work, submittedAt),
      () => {}, // the device is gone; whoever waits for a result is told by the device itself
    );
  }

  #done(work: number, submittedAt: number): void {
    const now = performance.now();
    const waited = submittedAt < this.#doneAt;
    // it began when those before it were done: to count their time would make it seem slow, and cut what follows ever finer
    const elapsed = now - Math.max(submittedAt, this.#doneAt);
    this.#doneAt = now;
    if (elapsed < MIN_SAMPLE_MS && !waited) {
      const atLeast = Math.min(this.#workPerMs * MOST_GROWTH, work / MIN_SAMPLE_MS);
      this.#workPerMs = Math.max(this.#workPerMs, atLeast);
      return;
    }
    // a busy host hears late of one submission, and at once of those behind it: together they are right
    this.#workPerMs = (this.#workPerMs * this.#measuredMs + work) / (this.#measuredMs + elapsed);
    this.#measuredMs = Math.min(this.#measuredMs + elapsed, WINDOW_MS);
  }
}
