import { describe, expect, it } from "vitest";
import { choiceOf } from "../../../demo/benchmark/choice.ts";

function fieldsOf(fields: Readonly<Record<string, string>>, ...cases: readonly string[]): FormData {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.set(name, value);
  for (const name of cases) data.append("case", name);
  return data;
}

describe("the benchmark's form", () => {
  it("gives the options of a run", () =>
    expect(
      choiceOf(fieldsOf({ rounds: "3", seconds: "60", dtype: "f32", shapes: "tiny" }, "operators", "roofline")),
    ).toEqual({ cases: ["roofline", "operators"], repeats: 3, seconds: 60, dtype: "f32", shapes: "tiny" }));

  it("leaves to the adapter what is automatic, and has no limit where no seconds are given", () =>
    expect(choiceOf(fieldsOf({ rounds: "5", seconds: "", dtype: "", shapes: "" }, "pictures"))).toEqual({
      cases: ["pictures"],
      repeats: 5,
      seconds: undefined,
      dtype: undefined,
      shapes: undefined,
    }));

  it("runs no case that needs Node", () => expect(choiceOf(fieldsOf({}, "sizes", "loading")).cases).toEqual([]));
});
