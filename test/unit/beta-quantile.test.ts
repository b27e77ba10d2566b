import { describe, expect, it } from "vitest";
import { symmetricBetaQuantile } from "../../runtime/sampling/schedule.ts";

describe("symmetricBetaQuantile", () => {
  it("is 0, ½ and 1 at 0, ½ and 1", () => {
    for (const probability of [0, 0.5, 1]) expect(symmetricBetaQuantile(probability, 0.6)).toBeCloseTo(probability, 15);
  });

  // Closed forms: the uniform distribution, and the arcsine distribution with x = sin²(π p / 2).
  for (const probability of [1e-6, 0.01, 0.25, 0.4999, 0.5001, 0.75, 0.99, 1 - 1e-6]) {
    it(`is the identity for a = 1 at ${probability}`, () =>
      expect(symmetricBetaQuantile(probability, 1)).toBeCloseTo(probability, 14));

    it(`is the arcsine quantile for a = ½ at ${probability}`, () =>
      expect(symmetricBetaQuantile(probability, 0.5)).toBeCloseTo(Math.sin((Math.PI * probability) / 2) ** 2, 14));
  }

  it("is symmetric about ½", () => {
    for (const probability of [0.001, 0.1, 0.3])
      expect(symmetricBetaQuantile(probability, 0.6) + symmetricBetaQuantile(1 - probability, 0.6)).toBeCloseTo(1, 14);
  });
});
