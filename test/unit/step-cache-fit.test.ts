import { describe, expect, it } from "vitest";
import { evaluatePolynomial, fitPolynomial } from "../../tools/fit-teacache/polynomial.ts";
import { expectClose, randomValues } from "../support/compare.ts";

const sampled = (xs: readonly number[], f: (x: number) => number) => xs.map((x) => ({ x, y: f(x) }));

describe("fitPolynomial", () => {
  it("finds the polynomial that points lie on, highest power first", () => {
    const points = sampled([-2, -1, 0, 0.5, 1, 3], (x) => 2 * x ** 3 - 4 * x + 7);
    expectClose(fitPolynomial(points, 3), [2, 0, -4, 7], { absolute: 1e-12 });
  });

  it("keeps its precision for small x, where high powers nearly vanish", () => {
    // TeaCache's published coefficients for FLUX.1, over the range that its inputs have
    const published = [498.651651, -283.781631, 55.8554382, -3.82021401, 0.264230861];
    const xs = Array.from({ length: 40 }, (_, i) => 0.01 + i * 0.005);
    const fitted = fitPolynomial(
      sampled(xs, (x) => evaluatePolynomial(published, x)),
      4,
    );
    expectClose(fitted, published, { relative: 1e-9 });
  });

  it("is the mean for degree 0, and the least-squares line for degree 1", () => {
    const points = [
      { x: 0, y: 1 },
      { x: 1, y: 3 },
      { x: 2, y: 2 },
    ];
    expectClose(fitPolynomial(points, 0), [2], { absolute: 1e-12 });
    // slope Σ(x − 1)(y − 2) / Σ(x − 1)² = 1 / 2 through (1, 2)
    expectClose(fitPolynomial(points, 1), [0.5, 1.5], { absolute: 1e-12 });
  });

  it("leaves residuals that no power of x correlates with", () => {
    const noise = randomValues(30, 9);
    const points = Array.from({ length: 30 }, (_, i) => ({ x: i / 30, y: noise[i]! }));
    const fitted = fitPolynomial(points, 4);
    for (let power = 0; power <= 4; power++) {
      const product = points.reduce((sum, { x, y }) => sum + (y - evaluatePolynomial(fitted, x)) * x ** power, 0);
      expect(Math.abs(product)).toBeLessThan(1e-10);
    }
  });

  it("needs one more distinct x than the degree", () => {
    const points = sampled([1, 2, 2, 3], (x) => x);
    expectClose(fitPolynomial(points, 2), [0, 1, 0], { absolute: 1e-12 });
    expect(() => fitPolynomial(points, 3)).toThrow(/4 different x; got 3/);
  });
});
