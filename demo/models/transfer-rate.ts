/** How far back the pace is measured: long enough to be calm, short enough to follow a connection that changes. */
const WINDOW_MS = 10_000;
const LEAST_MS = 1000;

/** The pace of a transfer, from how much had come at which time. */
export class TransferRate {
  #samples: { readonly bytes: number; readonly at: number }[] = [];

  /** @param at  milliseconds */
  add(bytes: number, at: number): void {
    const last = this.#samples.at(-1);
    if (last && bytes < last.bytes) this.#samples = []; // something else, or begun again
    this.#samples = [...this.#samples.filter((sample) => at - sample.at <= WINDOW_MS), { bytes, at }];
  }

  /** Undefined until there is something to tell it from. */
  get bytesPerSecond(): number | undefined {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (!first || !last || last.at - first.at < LEAST_MS || last.bytes === first.bytes) return undefined;
    return ((last.bytes - first.bytes) / (last.at - first.at)) * 1000;
  }

  /** Milliseconds until there are `totalBytes`. */
  leftMs(totalBytes: number): number | undefined {
    const rate = this.bytesPerSecond;
    const last = this.#samples.at(-1);
    return rate === undefined || !last ? undefined : ((totalBytes - last.bytes) / rate) * 1000;
  }
}
