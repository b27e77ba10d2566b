import { describe, expect, it } from "vitest";
import { compareReports, comparisonMarkdown } from "../../../bench/report/compare.ts";
import type { Figure } from "../../../bench/report/report.ts";
import { reportOf, rowOf } from "../../support/bench-report.ts";

function milliseconds(value: number, low: number, high: number): Figure {
  return { value, spread: [low, high], unit: "ms" };
}

function comparedTimes(before: Figure, after: Figure) {
  return compareReports(reportOf([rowOf("linear", { wgsl: before })]), reportOf([rowOf("linear", { wgsl: after })]));
}

describe("compareReports", () => {
  it("gives after by before", () => {
    const { figures } = comparedTimes(milliseconds(10, 9, 11), milliseconds(5, 4, 6));
    expect(figures).toHaveLength(1);
    expect(figures[0]).toMatchObject({
      case: "operators",
      row: "linear, f32",
      figure: "wgsl",
      ratio: 0.5,
      overlap: false,
    });
  });

  it.each([
    ["touch", milliseconds(12, 11, 13), true],
    ["are apart", milliseconds(12, 11.1, 13), false],
    ["are apart the other way round", milliseconds(8, 7, 8.9), false],
    ["contain each other", milliseconds(10, 1, 20), true],
  ])("says whether spreads overlap that %s", (_, after, overlap) =>
    expect(comparedTimes(milliseconds(10, 9, 11), after).figures[0]!.overlap).toBe(overlap),
  );

  it("does not compare the spread of single measurements", () =>
    expect(comparedTimes({ value: 2, unit: "s" }, { value: 3, unit: "s" }).figures[0]).not.toHaveProperty("overlap"));

  it("leaves out derived figures", () => {
    const rate: Figure = { value: 3, unit: "GFLOP/s", derived: true };
    const report = reportOf([rowOf("linear", { wgsl: milliseconds(1, 1, 1), rate })]);
    expect(compareReports(report, report).figures.map(({ figure }) => figure)).toEqual(["wgsl"]);
  });

  it("lists figures that are in only one report", () => {
    const figures = { wgsl: milliseconds(1, 1, 1) };
    const {
      onlyBefore,
      onlyAfter,
      figures: both,
    } = compareReports(
      reportOf([rowOf("gone", figures), rowOf("kept", figures)]),
      reportOf([rowOf("kept", figures), rowOf("new", figures)]),
    );
    expect(both.map(({ row }) => row)).toEqual(["kept, f32"]);
    expect(onlyBefore).toEqual(["operators: gone, f32: wgsl"]);
    expect(onlyAfter).toEqual(["operators: new, f32: wgsl"]);
  });

  it("reports another adapter, version and commit", () => {
    const before = reportOf([]);
    const adapter = { ...before.adapter, description: "Acme Two" };
    const after = reportOf([], { adapter, commit: "abc", versions: { ...before.versions, webgpu: "0.7.0" } });
    expect(compareReports(before, after).conditions).toEqual([
      "adapter: Acme One → Acme Two",
      "webgpu: 0.6.2 → 0.7.0",
      "commit: unknown → abc",
    ]);
  });

  it("is a table in Markdown", () => {
    const lines = comparisonMarkdown(comparedTimes(milliseconds(10, 9, 11), milliseconds(5, 4, 6))).split("\n");
    expect(lines.at(-1)).toBe("| operators | linear, f32 | wgsl, ms | 10 (9–11) | 5 (4–6) | 0.50 | no |");
  });
});
