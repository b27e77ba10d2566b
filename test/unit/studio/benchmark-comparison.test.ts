import { describe, expect, it } from "vitest";
import { compareWithFile } from "../../../demo/benchmark/comparison.ts";
import { reportOf, rowOf } from "../../support/bench-report.ts";

const reportWith = (value: number) => reportOf([rowOf("linear", { wgsl: { value, unit: "ms" } })]);

describe("a run compared with a saved report", () => {
  it("has the saved one before", async () => {
    const file = new File([JSON.stringify(reportWith(10))], "saved.json");
    const saved = await compareWithFile(file, reportWith(5));
    expect(saved).toMatchObject({ file: "saved.json", date: "2026-11-26T01:02:03.000Z" });
    expect(saved.comparison.figures).toMatchObject([{ before: { value: 10 }, after: { value: 5 }, ratio: 0.5 }]);
  });

  it.each(["no JSON", "{}"])("says which file is no report: %s", (text) =>
    expect(compareWithFile(new File([text], "notes.json"), reportWith(5))).rejects.toThrow(
      /^The file notes\.json cannot be compared\. A report of the benchmark was expected/,
    ),
  );
});
