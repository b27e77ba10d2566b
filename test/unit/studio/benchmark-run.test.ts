import { describe, expect, it } from "vitest";
import type { BenchmarkEvent, BenchmarkOptions } from "../../../bench/index.ts";
import { BenchmarkRun } from "../../../demo/benchmark/benchmark-run.ts";
import type { Studio } from "../../../demo/state/studio.ts";
import { reportOf, rowOf } from "../../support/bench-report.ts";

const row = rowOf("linear", { wgsl: { value: 1, unit: "ms" } });
const begin: BenchmarkEvent = { type: "case", case: "operators", index: 0, count: 1 };
const measured: BenchmarkEvent = { type: "row", case: "operators", row };

/** A studio whose engine writes down that it was closed. */
function studioWith(pending: number): { readonly studio: Pick<Studio, "queue" | "session">; readonly done: string[] } {
  const done: string[] = [];
  const session = { close: async () => void done.push("closed") };
  const studio = { queue: { pending: Array.from({ length: pending }) }, session };
  return { studio: studio as unknown as Pick<Studio, "queue" | "session">, done };
}

/** A run that yields these events and then ends, or goes on until it is aborted, or fails. */
function playing(events: readonly BenchmarkEvent[], end: "ends" | "goes on" | Error, done: string[] = []) {
  return async function* (options: BenchmarkOptions = {}): AsyncGenerator<BenchmarkEvent, void> {
    done.push("started");
    yield* events;
    if (end instanceof Error) throw end;
    const { signal } = options;
    signal?.throwIfAborted();
    if (end === "goes on")
      await new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason as Error)));
  };
}

describe("the benchmark of the page", () => {
  it("closes the studio's engine before it starts", async () => {
    const { studio, done } = studioWith(0);
    await new BenchmarkRun(studio, playing([], "ends", done)).start({ cases: ["operators"] });
    expect(done).toEqual(["closed", "started"]);
  });

  it("refuses while pictures are pending, and leaves the engine", async () => {
    const { studio, done } = studioWith(1);
    const run = new BenchmarkRun(studio, playing([], "ends", done));
    await run.start({ cases: ["operators"] });
    expect(run.problem).toMatch(/^Pictures are being made/);
    expect(done).toEqual([]);
  });

  it("refuses to run no case", async () => {
    const { studio, done } = studioWith(0);
    const run = new BenchmarkRun(studio, playing([], "ends", done));
    await run.start({ cases: [] });
    expect(run.problem).toBe("Choose at least one case.");
    expect(done).toEqual([]);
  });

  it("has rows as they come, notes at a case's end, the report at the run's", async () => {
    const result = { case: "operators", seconds: 1, rows: [row, row], notes: ["Something was left out."] } as const;
    const report = reportOf([row, row]);
    const events: BenchmarkEvent[] = [
      begin,
      measured,
      measured,
      { type: "caseDone", result },
      { type: "report", report },
    ];
    const run = new BenchmarkRun(studioWith(0).studio, playing(events, "ends"));
    const seen: string[] = [];
    run.addEventListener("change", () => {
      const [{ rows, notes } = { rows: [], notes: [] }] = run.cases;
      seen.push(`${rows.length} ${notes.length} ${run.progress.done} ${run.report === report}`);
    });
    await run.start({ cases: ["operators"] });
    expect([...new Set(seen)]).toEqual(["0 0 0 false", "1 0 0 false", "2 0 0 false", "2 1 1 false", "2 1 1 true"]);
    expect(run.running).toBe(false);
    expect(run.status).toMatch(/^Done in \d+ s\.$/);
  });

  it("says what it measures", async () => {
    const run = new BenchmarkRun(studioWith(0).studio, playing([begin, measured], "ends"));
    const seen: string[] = [];
    run.addEventListener("change", () => seen.push(run.status));
    await run.start({ cases: ["operators"] });
    expect(seen).toEqual(expect.arrayContaining(["operators: case 1 of 1…", "operators: linear, f32…"]));
  });

  it("keeps its measurements when it is cancelled, and can run again", async () => {
    const run = new BenchmarkRun(studioWith(0).studio, playing([begin, measured], "goes on"));
    run.addEventListener("change", () => {
      if (run.cases[0]?.rows.length === 1) run.cancel();
    });
    await run.start({ cases: ["operators"] });
    expect(run.cases[0]?.rows).toEqual([row]);
    expect(run.status).toBe("Cancelled. What was measured until then is below.");
    expect(run.problem).toBe("");
    expect(run.running).toBe(false);
  });

  it("says why it failed, and keeps its measurements", async () => {
    const run = new BenchmarkRun(studioWith(0).studio, playing([begin, measured], new Error("the GPU is gone.")));
    await run.start({ cases: ["operators"] });
    expect(run.problem).toBe("The GPU is gone. What was measured until then is below.");
    expect(run.cases[0]?.rows).toEqual([row]);
    expect(run.report).toBeUndefined();
  });

  it("runs once at a time", async () => {
    const { studio, done } = studioWith(0);
    const run = new BenchmarkRun(studio, playing([], "goes on", done));
    const first = run.start({ cases: ["operators"] });
    await run.start({ cases: ["operators"] });
    run.cancel();
    await first;
    expect(done.filter((what) => what === "closed")).toHaveLength(1);
  });
});
