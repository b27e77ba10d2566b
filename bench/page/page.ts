import { type BenchmarkChoice, type BenchmarkEvent, runBenchmark } from "../index.ts";

/** What the program calls in the page: a run is started, and its events are asked for one after the other. */
export interface BenchPage {
  start(choice: BenchmarkChoice): void;
  /** Null at the end. */
  next(): Promise<BenchmarkEvent | null>;
}

const BASE_MODEL = new URL("/models/klein-nano-base/", location.href);
let events: AsyncGenerator<BenchmarkEvent, void> | undefined;

const page: BenchPage = {
  start(choice) {
    events = runBenchmark({ ...choice, baseModel: BASE_MODEL });
  },
  async next() {
    const next = await events!.next();
    return next.done ? null : next.value;
  },
};

Object.assign(globalThis, { kleinbildPage: page });
