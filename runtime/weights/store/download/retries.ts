import { KleinbildError } from "../../../errors.ts";
import { Retriable } from "./range-request.ts";
import type { Meter, RemoteFile } from "./remote-files.ts";

const MAX_DELAY_MS = 30_000;

export interface RetryTuning {
  readonly attempts: number;
  readonly retryDelayMs: number;
}

/** Repeats failed requests for a file, each time at the next of its addresses. */
export class Retries {
  readonly #file: RemoteFile;
  readonly #tuning: RetryTuning;
  readonly #meter: Meter;
  #mirror = 0;

  constructor(file: RemoteFile, tuning: RetryTuning, meter: Meter) {
    this.#file = file;
    this.#tuning = tuning;
    this.#meter = meter;
  }

  /** The address to ask now. */
  get url(): string {
    return this.#file.urls[this.#mirror % this.#file.urls.length]!;
  }

  /**
   * Runs `work` until it succeeds. Failures are counted from the last byte that made progress.
   * @throws KleinbildError `network` after too many failures, the error of `work` if a retry cannot help, or the signal's reason
   */
  async run(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    let failures = 0;
    for (;;) {
      const before = this.#newBytes;
      try {
        return await work();
      } catch (error) {
        signal.throwIfAborted();
        const isAbsent = error instanceof KleinbildError && error.code === "missing-file";
        const otherAddresses = this.#file.urls.length - 1;
        if (!(error instanceof Retriable) && !(isAbsent && failures < otherAddresses)) throw error;
        failures = this.#newBytes > before ? 1 : failures + 1;
        if (failures >= this.#tuning.attempts)
          throw new KleinbildError(
            "network",
            `${error.message}; ${failures} tries failed.`,
            { path: this.#file.path },
            { cause: error },
          );
        this.#meter.retries++;
        this.#mirror++;
        const backOff = Math.min(MAX_DELAY_MS, this.#tuning.retryDelayMs * 2 ** (failures - 1));
        await delay((error instanceof Retriable ? error.afterMs : undefined) ?? backOff, signal);
      }
    }
  }

  get #newBytes(): number {
    return this.#meter.wireBytes - this.#meter.repeatedBytes;
  }
}

/** @throws the signal's reason */
async function delay(milliseconds: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
  signal.throwIfAborted();
}
