/** Calls `run` once changes have rested for a while. */
export class Debounce {
  readonly #run: () => void;
  readonly #restMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(run: () => void, restMs: number) {
    this.#run = run;
    this.#restMs = restMs;
  }

  call(): void {
    this.cancel();
    this.#timer = setTimeout(this.#run, this.#restMs);
  }

  cancel(): void {
    clearTimeout(this.#timer);
  }
}
