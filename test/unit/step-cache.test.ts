import { describe, expect, it } from "vitest";
import { type StepCacheMethod, type StepCacheOptions, splitBlocks } from "../../runtime/transformer/step-cache.ts";
import { StepCacheDecision } from "../../runtime/transformer/step-cache-decision.ts";

const FIRST: StepCacheMethod = { kind: "first-block", threshold: 0.1 };
const DUAL: StepCacheMethod = { kind: "dual-block", threshold: 0.1, skipInterval: 2, firstBlocks: 2, lastBlocks: 1 };
/** Estimates the change itself. */
const TEA: StepCacheMethod = { kind: "tea", distance: 0.1, coefficients: [1, 0] };

const options = (method: StepCacheMethod, more: Partial<StepCacheOptions> = {}): StepCacheOptions => ({
  method,
  startStep: 0,
  endStep: 100,
  maxConsecutive: 100,
  ...more,
});

/** What a decision says of steps 0, 1, 2 … with these changes: R for reuse, C for compute. */
function play(stepCache: StepCacheOptions, changes: readonly number[], stepOf = (i: number): number => i): string {
  const decision = new StepCacheDecision(stepCache);
  return changes
    .map((change, i) => {
      if (decision.mayReuse(stepOf(i)) && decision.reuses(change)) return "R";
      decision.computed();
      return "C";
    })
    .join("");
}

describe("the decision of a step cache", () => {
  it("always computes the first evaluation", () => {
    for (const method of [FIRST, DUAL, TEA]) expect(play(options(method), [0])).toBe("C");
  });

  it("reuses below the threshold, and neither at it nor above", () => {
    expect(play(options(FIRST), [0, 0.0999, 0.1, 0.1001, 0])).toBe("CRCCR");
    expect(play(options(DUAL), [0, 0.0999, 0.1, 0.1001, 0])).toBe("CRCCR");
  });

  it("never reuses with a threshold or distance of 0, even where nothing has changed", () => {
    const none = [0, 0, 0, 0];
    expect(play(options({ ...FIRST, threshold: 0 }), none)).toBe("CCCC");
    expect(play(options({ ...DUAL, threshold: 0 }), none)).toBe("CCCC");
    expect(play(options({ ...TEA, distance: 0 }), none)).toBe("CCCC");
    expect(play(options({ ...TEA, distance: 0, coefficients: [-1] }), none)).toBe("CCCC");
  });

  it("computes where the change is not a number", () => {
    for (const method of [FIRST, DUAL, TEA]) expect(play(options(method), [0, NaN, 0.01])).toBe("CCR");
  });

  it("reuses from the start of the window to before its end", () => {
    for (const method of [FIRST, TEA])
      expect(play(options(method, { startStep: 2, endStep: 5 }), Array(8).fill(0))).toBe("CCRRRCCC");
    expect(play(options(FIRST, { startStep: 3, endStep: 3 }), Array(5).fill(0))).toBe("CCCCC");
  });

  it("goes by steps where a step has several evaluations", () => {
    const window = options(FIRST, { startStep: 1, endStep: 3 });
    expect(play(window, Array(8).fill(0), (i) => Math.floor(i / 2))).toBe("CCRRRRCC");
  });

  it("computes after as many reuses in a row as are allowed", () => {
    for (const method of [FIRST, TEA]) {
      expect(play(options(method, { maxConsecutive: 1 }), Array(6).fill(0))).toBe("CRCRCR");
      expect(play(options(method, { maxConsecutive: 3 }), Array(9).fill(0))).toBe("CRRRCRRRC");
      expect(play(options(method, { maxConsecutive: 0 }), Array(3).fill(0))).toBe("CCC");
    }
  });

  it("takes the smaller of the skip interval and the reuses in a row", () => {
    expect(play(options({ ...DUAL, skipInterval: 1 }), Array(5).fill(0))).toBe("CRCRC");
    expect(play(options({ ...DUAL, skipInterval: 2 }), Array(7).fill(0))).toBe("CRRCRRC");
    expect(play(options({ ...DUAL, skipInterval: 4 }, { maxConsecutive: 2 }), Array(7).fill(0))).toBe("CRRCRRC");
  });

  it("restarts the count of consecutive reuses after a change that was too large", () => {
    expect(play(options(FIRST, { maxConsecutive: 2 }), [0, 0, 1, 0, 0, 0])).toBe("CRCRRC");
  });

  it("says of which steps anything is worth keeping: those before the window's end", () => {
    const decision = new StepCacheDecision(options(FIRST, { startStep: 2, endStep: 4 }));
    expect([0, 3, 4, 5].map((step) => decision.isWorthCaching(step))).toEqual([true, true, false, false]);
  });
});

describe("the decision of TeaCache", () => {
  it("adds the estimates up to the distance, and starts at 0 after it computed", () => {
    // sums in binary: 0.25, 0.5, 0.75, then 1 is not below 1
    const method: StepCacheMethod = { ...TEA, distance: 1 };
    expect(play(options(method), Array(10).fill(0.25))).toBe("CRRRCRRRCR");
  });

  it("starts at 0 too where a limit made it compute", () => {
    const method: StepCacheMethod = { ...TEA, distance: 1 };
    expect(play(options(method, { maxConsecutive: 2 }), Array(7).fill(0.25))).toBe("CRRCRRC");
  });

  it("estimates by the polynomial, highest power first", () => {
    // 2x² + 3x + 0.5 at 0.5 is 2.5
    const reuses = (distance: number): string =>
      play(options({ kind: "tea", distance, coefficients: [2, 3, 0.5] }), [0, 0.5]);
    expect(reuses(2.5)).toBe("CC");
    expect(reuses(2.5001)).toBe("CR");
  });

  it("takes an estimate below 0 for 0", () => {
    const method: StepCacheMethod = { kind: "tea", distance: 1, coefficients: [1, -0.5] };
    // −0.5, 0.5, 0.5: without the floor the sum would stay below 1
    expect(play(options(method), [0, 0, 1, 1])).toBe("CRRC");
  });
});

describe("the blocks of a step cache", () => {
  it("are split by the method", () => {
    expect(splitBlocks(options(FIRST), 8)).toEqual({ first: 1, last: 8 });
    expect(splitBlocks(options(TEA), 8)).toEqual({ first: 0, last: 8 });
    expect(splitBlocks(options(DUAL), 8)).toEqual({ first: 2, last: 7 });
  });

  it("leave one at least that can be skipped", () => {
    expect(splitBlocks(options({ ...DUAL, firstBlocks: 5, lastBlocks: 2 }), 8)).toEqual({ first: 5, last: 6 });
    expect(() => splitBlocks(options({ ...DUAL, firstBlocks: 5, lastBlocks: 3 }), 8)).toThrow(
      /below the 8 blocks.*got 8/,
    );
  });

  it.each([
    ["threshold", options({ ...FIRST, threshold: -0.01 })],
    ["threshold", options({ ...DUAL, threshold: NaN })],
    ["distance", options({ ...TEA, distance: -1 })],
    ["coefficients", options({ ...TEA, coefficients: [] })],
    ["coefficients", options({ ...TEA, coefficients: [1, Infinity] })],
    ["skipInterval", options({ ...DUAL, skipInterval: 0 })],
    ["firstBlocks", options({ ...DUAL, firstBlocks: 0 })],
    ["lastBlocks", options({ ...DUAL, lastBlocks: 0.5 })],
    ["startStep", options(FIRST, { startStep: -1 })],
    ["endStep", options(FIRST, { endStep: 2.5 })],
    ["maxConsecutive", options(FIRST, { maxConsecutive: -1 })],
  ])("are refused where %s is out of its range", (name, stepCache) => {
    expect(() => splitBlocks(stepCache, 8)).toThrow(
      expect.objectContaining({ code: "invalid-request", details: { parameter: `stepCache.${name}` } }),
    );
  });

  it("take the smallest numbers of each range", () => {
    expect(splitBlocks(options({ ...FIRST, threshold: 0 }, { endStep: 0, maxConsecutive: 0 }), 2)).toEqual({
      first: 1,
      last: 2,
    });
    expect(splitBlocks(options({ ...DUAL, skipInterval: 1, firstBlocks: 1, lastBlocks: 0 }), 2)).toEqual({
      first: 1,
      last: 2,
    });
  });
});
