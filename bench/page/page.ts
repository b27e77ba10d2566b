import { type BenchmarkChoice, type BenchmarkEvent, runBenchmark } from "../index.ts";

/** What the program calls in the page: a run is started, and its events are asked for one after the other. */
export interface BenchPage {
  start(choice: BenchmarkChoice): void;
  /** Null at the end. */
  next(): Promise<BenchmarkEvent | null>;
  /** Aborts the run while its next event is awaited. The message of what it ends with; null where it goes on. */
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
