import { describe, expect, it } from "vitest";
import { CASE_NAMES } from "../../../bench/case-list.ts";
import { resolveChoice } from "../../../bench/options.ts";

describe("the options of a run", () => {
  it("is the default cases within a time, unless cases are named", () => {
    const { cases, seconds } = resolveChoice({});
    expect(cases).toEqual(["roofline", "operators", "pictures"]);
    expect(seconds).toBeLessThan(180);
  });

  it("keeps the order of the table, and sets named cases no time", () =>
    expect(resolveChoice({ cases: ["loading", "roofline"] })).toMatchObject({
      cases: ["roofline", "loading"],
      seconds: Infinity,
    }));

  it("takes every case by its name", () => expect(resolveChoice({ cases: CASE_NAMES }).cases).toEqual(CASE_NAMES));

  it.each([
    ["cases", { cases: ["nothing" as "roofline"] }],
    ["repeats", { repeats: 0 }],
    ["repeats", { repeats: 1.5 }],
    ["repeats", { repeats: 1001 }],
    ["seconds", { seconds: 0 }],
    ["seconds", { seconds: Number.NaN }],
  ])("refuses %s out of range", (parameter, choice) =>
    expect(() => resolveChoice(choice)).toThrow(
      expect.objectContaining({ code: "invalid-request", details: { parameter } }),
    ),
  );

  it("takes both ends of the rounds", () =>
    expect([1, 1000].map((repeats) => resolveChoice({ repeats }).repeats)).toEqual([1, 1000]));
});
