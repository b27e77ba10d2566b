import { describe, expect, it } from "vitest";
import { buildSigmas, empiricalMu, type SigmaSpacing } from "../../runtime/sampling/schedule.ts";
import { expectClose } from "../support/compare.ts";

/** From the reference scheduler, rounded to six decimals: side in pixels, μ and the four sigmas before 0. */
const FOUR_STEPS: readonly (readonly [side: number, mu: number, sigmas: readonly number[]])[] = [
  [256, 1.965567, [1, 0.955391, 0.877134, 0.704112]],
  [512, 2.03069, [1, 0.958085, 0.883982, 0.717497]],
  [768, 2.139227, [1, 0.962234, 0.894658, 0.738969]],
  [1024, 2.29118, [1, 0.967384, 0.908144, 0.7672]],
  [1440, 1.827754, [1, 0.949135, 0.861494, 0.674617]],
  [2048, 3.229986, [1, 0.986986, 0.961947, 0.893915]],
];

/** Eight steps at 512², from the reference scheduler with the option of that name. */
const SPACED: Readonly<Record<Exclude<SigmaSpacing, "uniform">, readonly number[]>> = {
  karras: [1, 0.91276449, 0.8321349, 0.75768894, 0.6890263, 0.62576765, 0.56755376, 0.51404482, 0],
  exponential: [1, 0.90931517, 0.82685405, 0.75187093, 0.68368757, 0.62168747, 0.56530988, 0.51404482, 0],
  beta: [1, 0.96542817, 0.89461994, 0.80492306, 0.70912176, 0.61942488, 0.54861665, 0.51404482, 0],
};

const tokensOf = (side: number) => (side / 16) ** 2;

describe("empiricalMu", () => {
  for (const [side, mu] of FOUR_STEPS)
    it(`is ${mu} for four steps at ${side}²`, () => expect(empiricalMu(tokensOf(side), 4)).toBeCloseTo(mu, 6));

  it("falls with the number of steps", () => {
    expect(empiricalMu(4096, 8)).toBeCloseTo(2.26789, 6);
    expect(empiricalMu(4096, 50)).toBeCloseTo(2.023351, 6);
    expect(empiricalMu(1024, 50)).toBeCloseTo(1.701956, 6);
  });

  it("depends on the steps up to 4300 tokens and not above", () => {
    expect(empiricalMu(4300, 4)).not.toBe(empiricalMu(4300, 50));
    expect(empiricalMu(4301, 4)).toBe(empiricalMu(4301, 50));
    expect(empiricalMu(4356, 4)).toBeCloseTo(1.19400678, 8);
  });
});

describe("buildSigmas", () => {
  for (const [side, , sigmas] of FOUR_STEPS)
    it(`gives the reference's four steps at ${side}²`, () =>
      expectClose(buildSigmas({ tokens: tokensOf(side), steps: 4 }), [...sigmas, 0], { absolute: 6e-7 }));

  it("gives the reference's eight steps at 1024²", () =>
    expectClose(
      buildSigmas({ tokens: 4096, steps: 8 }),
      [1, 0.985426, 0.966641, 0.941515, 0.906183, 0.852842, 0.763015, 0.579807, 0],
      { absolute: 6e-7 },
    ));

  it("rounds to f32 as the reference does", () =>
    expect([...buildSigmas({ tokens: 256, steps: 4 })]).toEqual([
      1, 0.9553907513618469, 0.8771342635154724, 0.7041116952896118, 0,
    ]));

  for (const spacing of ["karras", "exponential", "beta"] as const) {
    it(`re-spaces as the reference does: ${spacing}`, () =>
      expectClose(buildSigmas({ tokens: 1024, steps: 8, spacing }), SPACED[spacing], { absolute: 1e-7 }));

    it(`keeps the ends of the shifted schedule: ${spacing}`, () => {
      const uniform = buildSigmas({ tokens: 1024, steps: 50 });
      const spaced = buildSigmas({ tokens: 1024, steps: 50, spacing });
      for (const i of [0, 49, 50]) expect(spaced[i]).toBeCloseTo(uniform[i]!, 6);
    });
  }

  for (const spacing of ["uniform", "karras", "exponential", "beta"] as const)
    it(`is [1, 0] for one step: ${spacing}`, () =>
      expect([...buildSigmas({ tokens: 64, steps: 1, spacing })]).toEqual([1, 0]));

  for (const steps of [0, -1, 2.5, Number.NaN])
    it(`refuses ${steps} steps`, () =>
      expect(() => buildSigmas({ tokens: 64, steps })).toThrowError(
        expect.objectContaining({ code: "invalid-request", details: { parameter: "steps" } }),
      ));
});
