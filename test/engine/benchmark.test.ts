import { describe, expect, it } from "vitest";
import { nodeBenchPlatform } from "../../tools/bench/node-bench-platform.ts";
import type { BenchmarkEvent } from "../../bench/options.ts";
import { parseReport } from "../../bench/report/parse-report.ts";
import type { BenchmarkReport } from "../../bench/report/report.ts";
import { PAGE_CASES, runCases } from "../../bench/run-cases.ts";

async function runTiny(signal?: AbortSignal): Promise<readonly BenchmarkEvent[]> {
  const choice = { cases: ["operators"], repeats: 2, dtype: "f32", shapes: "tiny", seconds: 1 } as const;
  const events: BenchmarkEvent[] = [];
  for await (const event of runCases(await nodeBenchPlatform(), PAGE_CASES, choice, signal)) events.push(event);
  return events;
}

describe("a run of the benchmark", () => {
  it("yields a case, its rows, and a report of them at the end", async () => {
    const events = await runTiny();
    expect(events.map(({ type }) => type)).toEqual([
      "case",
      ...events.slice(1, -2).map(() => "row"),
      "caseDone",
      "report",
    ]);
    const [report] = events.flatMap((event) => (event.type === "report" ? [event.report] : [])) as [BenchmarkReport];
    expect(parseReport(JSON.stringify(report))).toEqual(report);
    const [{ rows }] = report.cases as [BenchmarkReport["cases"][number]];
    expect(rows[0]).toMatchObject({
      labels: { operator: "linear, weights f32", shape: "32 × 64 → 64", type: "f32" },
      figures: { ort: { unit: "ms" }, wgsl: { unit: "ms" }, "of the roofline": { unit: "%", derived: true } },
    });
    expect(rows[0]!.figures["wgsl"]!.value).toBeGreaterThan(0);
  });

  it("ends with the reason of its signal", async () => {
    const reason = new Error("enough");
    await expect(runTiny(AbortSignal.abort(reason))).rejects.toBe(reason);
  });

  it("refuses a case that a platform cannot run", async () => {
    const events = runCases(await nodeBenchPlatform(), PAGE_CASES, { cases: ["loading"] });
    await expect(events.next()).rejects.toMatchObject({ code: "unsupported", details: { case: "loading" } });
  });
});
