import { describe, expect, it } from "vitest";
import { reportMarkdown } from "../../../bench/report/markdown.ts";
import { reportOf, rowOf } from "../../support/bench-report.ts";

describe("reportMarkdown", () => {
  const rows = [
    rowOf("linear", {
      wgsl: { value: 1.2345, spread: [1.2, 1.3], unit: "ms" },
      rate: { value: 123.4, unit: "GFLOP/s" },
    }),
    rowOf("norm", { wgsl: { value: 0.01234, unit: "ms" } }),
    { labels: { probe: "copy" }, figures: { rate: { value: 12.34, unit: "GB/s" } } },
  ] as const;
  const cases = [{ case: "operators", seconds: 12.3, rows, notes: ["Something was left out."] }] as const;
  const text = reportMarkdown(reportOf([], { cases, commit: "abcdef" }));

  it("names adapter, platform, versions and commit", () => {
    for (const part of [
      "Acme One",
      "Node v20.0.0",
      "webgpu 0.6.2",
      "Kleinbild 0.1.0 (abcdef)",
      "onnxruntime-web 1.30.0",
    ])
      expect(text).toContain(part);
  });

  it("has one table for rows with the same labels, with a dash where a row lacks a figure", () =>
    expect(text).toContain(
      [
        "| operator | type | wgsl, ms | rate, GFLOP/s |",
        "|---|---|---|---|",
        "| linear | f32 | 1.23 (1.20–1.30) | 123 |",
        "| norm | f32 | 0.0123 | – |",
      ].join("\n"),
    ));

  it("has another table for rows with other labels", () =>
    expect(text).toContain("| probe | rate, GB/s |\n|---|---|\n| copy | 12.3 |"));

  it("ends a case with its notes", () => expect(text.endsWith("\n\n- Something was left out.")).toBe(true));
});
