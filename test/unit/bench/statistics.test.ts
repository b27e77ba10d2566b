import { describe, expect, it } from "vitest";
import { figure, median, quantile } from "../../../bench/statistics.ts";

describe("statistics", () => {
  it("takes the middle one of an odd number of values in any order", () => expect(median([9, 1, 5])).toBe(5));
  it("takes the mean of the middle two of an even number", () => expect(median([4, 1, 2, 9])).toBe(3));
  it("gives one value as every quantile of itself", () =>
    expect([0, 0.25, 1].map((share) => quantile([7], share))).toEqual([7, 7, 7]));
  it("gives the ends at 0 and 1, and interpolates between", () =>
    expect([0, 0.25, 0.5, 0.75, 1].map((share) => quantile([10, 20, 40], share))).toEqual([10, 15, 20, 30, 40]));
  it("gives a figure with the quartiles as its spread", () =>
    expect(figure([10, 40, 20], "ms")).toEqual({ value: 20, spread: [15, 30], unit: "ms" }));
  it("gives a spread to two measurements, but not to one", () =>
    expect([figure([10], "ms"), figure([10, 20], "ms")]).toEqual([
      { value: 10, unit: "ms" },
      { value: 15, spread: [12.5, 17.5], unit: "ms" },
    ]));
});
