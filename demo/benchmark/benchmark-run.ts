import {
  type BenchmarkEvent,
  type BenchmarkOptions,
  type BenchmarkReport,
  type BenchmarkRow,
  type CaseName,
  runBenchmark,
} from "../../bench/index.ts";
import { messageOf } from "../state/notices.ts";
import { Observable } from "../state/observable.ts";
import type { Studio } from "../state/studio.ts";

/** What was measured of a case so far. */
export interface MeasuredCase {
  readonly name: CaseName;
  readonly rows: readonly BenchmarkRow[];
  /** What was left out, and why; known at its end. */
  readonly notes: readonly string[];
}

const MS_PER_SECOND = 1000;

/** The benchmark as the page shows it: one run at a time, and what was measured by the last one. */
export class BenchmarkRun extends Observable {
  readonly #studio: Pick<Studio, "queue" | "session">;
  readonly #start: typeof runBenchmark;
  #abort: AbortController | undefined;
  #cases: readonly MeasuredCase[] = [];
  #progress = { done: 0, of: 1 };
  #status = "";
  #problem = "";
  #report: BenchmarkReport | undefined;

  constructor(studio: Pick<Studio, "queue" | "session">, start = runBenchmark) {
    super();
    this.#studio = studio;
    this.#start = start;
  }

  get running(): boolean {
    return this.#abort !== undefined;
  }

  get cases(): readonly MeasuredCase[] {
    return this.#cases;
  }

  /** Cases that are over, of those that were chosen. */
  get progress(): { readonly done: number; readonly of: number } {
    return this.#progress;
  }

  /** What it is doing, or how it ended. */
  get status(): string {
    return this.#status;
  }

  /** Why it did not run, or not to its end; empty where nothing is wrong. */
  get problem(): string {
    return this.#problem;
  }

  /** Of a run that came to its end. */
  get report(): BenchmarkReport | undefined {
    return this.#report;
  }

  /** Runs what is chosen, on a machine that does nothing else: the studio's engine is closed before. */
  async start(options: Omit<BenchmarkOptions, "signal">): Promise<void> {
    if (this.#abort) return;
    const refusal = this.#refusal(options);
    if (refusal) return this.#set({ status: "", problem: refusal });
    const abort = new AbortController();
    this.#abort = abort;
    this.#cases = [];
    this.#report = undefined;
    this.#progress = { done: 0, of: options.cases?.length ?? 1 };
    this.#set({ status: "Closing the studio's model…", problem: "" });
    const started = performance.now();
    try {
      await this.#studio.session.close();
      this.#set({ status: "Starting…" });
      for await (const event of this.#start({ ...options, signal: abort.signal })) this.#receive(event);
      const seconds = Math.round((performance.now() - started) / MS_PER_SECOND);
      this.#end({ status: `Done in ${seconds} s.` });
    } catch (error) {
      if (abort.signal.aborted) this.#end({ status: `Cancelled.${this.#remains()}` });
      else this.#end({ status: "", problem: `${messageOf(error)}${this.#remains()}` });
    }
  }

  /** Ends the run; what was measured stays. */
  cancel(): void {
    this.#abort?.abort();
  }

  #refusal({ cases }: BenchmarkOptions): string | undefined {
    if (cases?.length === 0) return "Choose at least one case.";
    if (this.#studio.queue.pending.length > 0)
      return "Pictures are being made, and would be measured as well. Wait until they are done, or cancel them in the studio.";
    return undefined;
  }

  #receive(event: BenchmarkEvent): void {
    switch (event.type) {
      case "case":
        this.#cases = [...this.#cases, { name: event.case, rows: [], notes: [] }];
        this.#progress = { done: event.index, of: event.count };
        return this.#set({ status: `${event.case}: case ${event.index + 1} of ${event.count}…` });
      case "row":
        this.#cases = this.#cases.map((each) =>
          each.name === event.case ? { ...each, rows: [...each.rows, event.row] } : each,
        );
        return this.#set({ status: `${event.case}: ${Object.values(event.row.labels).join(", ")}…` });
      case "caseDone": {
        const { case: name, rows, notes } = event.result;
        this.#cases = this.#cases.map((each) => (each.name === name ? { name, rows, notes } : each));
        this.#progress = { ...this.#progress, done: this.#progress.done + 1 };
        return this.changed();
      }
      case "report":
        this.#report = event.report;
        return this.changed();
      default:
        return event satisfies never;
    }
  }

  #remains(): string {
    return this.#cases.some(({ rows }) => rows.length > 0) ? " What was measured until then is below." : "";
  }

  #end(change: { readonly status: string; readonly problem?: string }): void {
    this.#abort = undefined;
    this.#set(change);
  }

  #set({ status, problem = this.#problem }: { readonly status: string; readonly problem?: string }): void {
    this.#status = status;
    this.#problem = problem;
    this.changed();
  }
}
