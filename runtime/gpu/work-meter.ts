/** A submission is closed when its estimated time reaches this. */
export const SUBMIT_TARGET_MS = 30;
/** The intended upper limit of a dispatch. */
export const DISPATCH_LIMIT_MS = 100;
/** Multiply-adds per millisecond before the first measurement: a slow integrated GPU. A software adapter shows at once. */
const INITIAL_WORK_PER_MS = 20e6;
/** A shorter submission cannot be timed: it gives only a lower bound of the rate. */
const MIN_SAMPLE_MS = 2;
/** Upper limit of the growth from one sample, since a cheap kernel must not raise the rate for the others too much. */
const MOST_GROWTH = 8;
/** The rate is an average over the last `WINDOW_MS` of measured time. The initial rate counts as `ASSUMED_MS` of it. */
const WINDOW_MS = 100;
const ASSUMED_MS = 10;

/** Estimates the GPU time of recorded work from the measured rate of earlier submissions. */
export class WorkMeter {
  readonly #queue: GPUQueue;
  #workPerMs: number;
  #pending = 0;
  /** Duration of the measurement behind the rate, up to the window. */
  #measuredMs = ASSUMED_MS;
  /** When the last submission was done. */
  #doneAt = 0;

  /** @param workPerMs  the rate that is assumed until one is measured */
  constructor(queue: GPUQueue, workPerMs = INITIAL_WORK_PER_MS) {
    this.#queue = queue;
    this.#workPerMs = workPerMs;
  }

  /** Whether the pending work has reached the time of a submission. */
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

  /** Drops the pending work, which will not be submitted. */
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
      () => {}, // the device is lost; readers of results get that error
    );
  }

  #done(work: number, submittedAt: number): void {
    const now = performance.now();
    const waited = submittedAt < this.#doneAt;
    // it began after the submissions before it: counting their time would lower the rate, and dispatches would become ever smaller
    const elapsed = now - Math.max(submittedAt, this.#doneAt);
    this.#doneAt = now;
    if (elapsed < MIN_SAMPLE_MS && !waited) {
      const atLeast = Math.min(this.#workPerMs * MOST_GROWTH, work / MIN_SAMPLE_MS);
      this.#workPerMs = Math.max(this.#workPerMs, atLeast);
      return;
    }
    // on a busy host the callback of one submission is late and those behind it follow at once: their sum is correct
    this.#workPerMs = (this.#workPerMs * this.#measuredMs + work) / (this.#measuredMs + elapsed);
    this.#measuredMs = Math.min(this.#measuredMs + elapsed, WINDOW_MS);
  }
}
