import { describe, expect, it } from "vitest";
import type { BenchmarkRow, Figure } from "../../../bench/index.ts";
import { barChartsOf } from "../../../demo/benchmark/bar-charts.ts";

const seconds = (value: number): Figure => ({ value, spread: [value - 0.1, value + 0.1], unit: "s" });

function operator(name: string, figures: BenchmarkRow["figures"], type = "f16"): BenchmarkRow {
  return { labels: { operator: name, shape: "512 × 1024", type }, figures };
}

function picture(labels: Readonly<Record<string, string>>, total: Figure): BenchmarkRow {
  return { labels: { model: "klein-nano", ...labels }, figures: { total, steps: seconds(1) } };
}

describe("bar charts of a case", () => {
  it("have a series for each implementation, onnxruntime first, with values and quartiles", () => {
    const rows = [
      operator("linear", { wgsl: { value: 2, spread: [1, 3], unit: "ms" }, ort: { value: 4, unit: "ms" } }),
      operator("attention", { wgsl: { value: 5, unit: "ms" } }),
    ];
    expect(barChartsOf("operators", rows)).toEqual([
      {
        unit: "ms",
        categories: ["linear", "attention"],
        series: [
          { name: "onnxruntime (ort)", bars: [{ value: 4 }, undefined] },
          {
            name: "own kernels (wgsl)",
            bars: [{ value: 2, spread: [1, 3] }, { value: 5 }],
          },
        ],
        logarithmic: false,
      },
    ]);
  });

  it("keep each bar at its category where one before it was not measured", () => {
    const rows = [
      operator("attention", { wgsl: { value: 5, unit: "ms" } }),
      operator("linear", { ort: { value: 4, unit: "ms" }, wgsl: { value: 2, unit: "ms" } }),
    ];
    expect(barChartsOf("operators", rows)[0]?.series[0]?.bars).toEqual([undefined, { value: 4 }]);
  });

  it("take the implementation from the labels if it is one of them", () => {
    const rows = ["wgsl", "ort"].map((backend) => picture({ references: "0", backend }, seconds(3)));
    const [chart] = barChartsOf("pictures", rows);
    expect(chart?.categories).toHaveLength(1);
    expect(chart?.series.map(({ name }) => name)).toEqual(["onnxruntime (ort)", "own kernels (wgsl)"]);
  });

  it("name categories by the labels that tell them apart, numbers with what they count", () => {
    const rows = [
      picture({ references: "0", mode: "–", type: "f32", request: "first" }, seconds(3)),
      picture({ references: "2", mode: "exact", type: "f32", request: "first" }, seconds(3)),
      picture({ references: "2", mode: "recompute", type: "f32", request: "first" }, seconds(3)),
      picture({ references: "2", mode: "recompute", type: "f32", request: "repeated" }, seconds(2)),
    ];
    expect(barChartsOf("pictures", rows)[0]?.categories).toEqual([
      "references: 0, first",
      "references: 2, exact, first",
      "references: 2, recompute, first",
      "references: 2, recompute, repeated",
    ]);
    expect(barChartsOf("pictures", rows.slice(0, 2))[0]?.categories).toEqual(["references: 0", "references: 2"]);
  });

  it("are one for each unit, except charts with a single bar", () => {
    const probe = (name: string, value: number, unit: Figure["unit"]): BenchmarkRow => ({
      labels: { probe: name },
      figures: { rate: { value, unit } },
    });
    const rows = [
      probe("adds in f32", 9, "GFLOP/s"),
      probe("dot", 5, "Gop/s"),
      probe("reads", 3, "GB/s"),
      probe("adds in f16", 8, "GFLOP/s"),
      probe("copy", 2, "GB/s"),
    ];
    expect(barChartsOf("roofline", rows).map(({ unit, categories }) => [unit, ...categories])).toEqual([
      ["GFLOP/s", "adds in f32", "adds in f16"],
      ["GB/s", "reads", "copy"],
    ]);
  });

  it("leave out derived figures", () => {
    const estimate: BenchmarkRow = {
      labels: { model: "klein-4b" },
      figures: { one: { ...seconds(1), derived: true } },
    };
    expect(barChartsOf("blocks", [estimate, estimate])).toEqual([]);
  });

  it("have a logarithmic scale where the longest bar is above 25 times the shortest", () => {
    const isLogarithmic = (ort: number): boolean | undefined =>
      barChartsOf("operators", [operator("linear", { ort: seconds(ort), wgsl: seconds(2) })])[0]?.logarithmic;
    expect(isLogarithmic(50)).toBe(false);
    expect(isLogarithmic(51)).toBe(true);
  });

  it("are none before there are rows", () => expect(barChartsOf("operators", [])).toEqual([]));
});
