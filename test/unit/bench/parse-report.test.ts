import { describe, expect, it } from "vitest";
import { parseReport } from "../../../bench/report/parse-report.ts";
import { reportOf, rowOf } from "../../support/bench-report.ts";

const report = reportOf([rowOf("linear", { wgsl: { value: 2, spread: [1, 3], unit: "ms" } })]);

function parsed(changes: object): () => unknown {
  return () => parseReport(JSON.stringify({ ...report, ...changes }));
}

describe("parseReport", () => {
  it("gives back a report that was written", () => expect(parsed({})()).toEqual(report));

  it.each([
    ["another format", { format: "kleinbild-benchmark-0" }, /format/],
    ["no date", { date: "yesterday" }, /date/],
    ["an unknown case", { cases: [{ case: "nothing", seconds: 1, rows: [], notes: [] }] }, /cases\.0\.case/],
    [
      "a figure without a unit",
      {
        cases: [{ case: "operators", seconds: 1, notes: [], rows: [{ labels: {}, figures: { wgsl: { value: 1 } } }] }],
      },
      /cases\.0\.rows\.0\.figures\.wgsl\.unit/,
    ],
  ])("refuses %s and names it", (_, changes, place) => expect(parsed(changes)).toThrow(place));

  it("refuses text that is not JSON", () => expect(() => parseReport("## a table")).toThrow(/this is not JSON/));
});
