import { type BenchmarkChoice, type BenchmarkEvent, runBenchmark } from "../index.ts";

/** Functions that the command line calls in the page. It starts a run and then pulls its events. */
export interface BenchPage {
  start(choice: BenchmarkChoice): void;
  /** The next event; null at the end. */
  next(): Promise<BenchmarkEvent | null>;
  /** Aborts the run while its next event is pending. Returns the message of its error; null if it goes on. */
  abort(reason: string): Promise<string | null>;
}

const BASE_MODEL = new URL("/models/klein-nano-base/", location.href);
let events: AsyncGenerator<BenchmarkEvent, void> | undefined;
let abort = new AbortController();

const page: BenchPage = {
  start(choice) {
    abort = new AbortController();
    events = runBenchmark({ ...choice, baseModel: BASE_MODEL, signal: abort.signal });
  },
  async next() {
    const next = await events!.next();
    return next.done ? null : next.value;
  },
  async abort(reason) {
    const next = events!.next();
    abort.abort(new Error(reason));
    try {
      await next;
      return null;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  },
};

Object.assign(globalThis, { kleinbildPage: page });
