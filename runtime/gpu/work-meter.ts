/** A submission is closed when its estimated time reaches this. */
export const SUBMIT_TARGET_MS = 30;
/** No dispatch is meant to last longer. */
export const DISPATCH_LIMIT_MS = 100;
/** Multiply-adds per millisecond assumed until measured: a slow integrated GPU; software adapters are found out quickly. */
const INITIAL_WORK_PER_MS = 20e6;
const MIN_SAMPLE_MS = 2;

/** Estimates the GPU time of recorded work from the measured rate of earlier submissions. */
export class WorkMeter {
  readonly #queue: GPUQueue;
  #workPerMs = INITIAL_WORK_PER_MS;
  #pending = 0;
  #measuring = false;

  constructor(queue: GPUQueue) {
    this.#queue = queue;
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

  /** Called after each submission; every so often one is timed. */
  submitted(): void {
    const work = this.#pending;
    this.#pending = 0;
    if (this.#measuring || work === 0) return;
    this.#measuring = true;
    const start = performance.now();
    void this.#queue.onSubmittedWorkDone().then(
      () => {
        this.#measuring = false;
        const elapsed = performance.now() - start;
        if (elapsed >= MIN_SAMPLE_MS) this.#workPerMs = (this.#workPerMs + work / elapsed) / 2;
        // too short to be measured, it shows only that the rate is at least this; little work shows nothing
        else this.#workPerMs = Math.max(this.#workPerMs, Math.min(this.#workPerMs * 1.5, work / MIN_SAMPLE_MS));
      },
      () => {
        this.#measuring = false; // the device is gone; whoever waits for a result is told by the device itself
      },
    );
  }
}
