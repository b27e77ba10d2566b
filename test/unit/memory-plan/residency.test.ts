import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chooseResidency, leastResidency, reloadedBytes } from "../../../runtime/memory-plan/residency.ts";
import { type Residency, type Stage, STAGES } from "../../../runtime/pipeline/stages.ts";
import type { WeightPart } from "../../../runtime/weights/inventory.ts";

const PARTS = ["textEncoder", "transformer", "vae"] as const;
const USES = {
  prompt: "textEncoder",
  encode: "vae",
  references: "transformer",
  steps: "transformer",
  decode: "vae",
} as const;
type Weights = Readonly<Record<WeightPart, number>>;

const sizes = fc.record({
  textEncoder: fc.integer({ min: 1, max: 50 }),
  transformer: fc.integer({ min: 1, max: 50 }),
  vae: fc.integer({ min: 1, max: 50 }),
});
const setup = fc.record({
  weights: sizes,
  activations: fc.tuple(...STAGES.map(() => fc.nat(40))),
  budget: fc.nat(220),
  encodes: fc.boolean(),
});

const idleOf = (encodes: boolean): ReadonlySet<Stage> => new Set(encodes ? [] : (["encode"] as const));

/** Bytes loaded in the second of two runs that free what does not stay and load what is missing. */
function loadedInSecondRun(
  weights: Weights,
  stays: (stage: Stage) => readonly WeightPart[],
  idle: ReadonlySet<Stage>,
): number {
  let there = new Set<WeightPart>();
  let bytes = 0;
  for (const run of [1, 2])
    for (const stage of STAGES) {
      there = new Set(stays(stage).filter((part) => there.has(part)));
      if (idle.has(stage) || there.has(USES[stage])) continue;
      there.add(USES[stage]);
      if (run === 2) bytes += weights[USES[stage]];
    }
  return bytes;
}

/** The fewest bytes that a second run can load, over every choice of what stays in each stage; undefined where none fits. */
function fewest(weights: Weights, free: Readonly<Record<Stage, number>>, idle: ReadonlySet<Stage>): number | undefined {
  const choices = STAGES.map((stage) =>
    Array.from({ length: 8 }, (_, bits) => PARTS.filter((_part, i) => (bits >> i) & 1)).filter(
      (parts) =>
        (idle.has(stage) || parts.includes(USES[stage])) &&
        parts.reduce((sum, part) => sum + weights[part], 0) <= free[stage],
    ),
  );
  let best: number | undefined;
  const visit = (chosen: readonly (readonly WeightPart[])[]): void => {
    if (chosen.length === STAGES.length) {
      const bytes = loadedInSecondRun(weights, (stage) => chosen[STAGES.indexOf(stage)]!, idle);
      best = Math.min(best ?? Infinity, bytes);
    } else for (const parts of choices[chosen.length]!) visit([...chosen, parts]);
  };
  visit([]);
  return best;
}

describe("the residency of parts", () => {
  it("loads as little as any choice within the budget, and is none where not even the parts in use fit", () => {
    fc.assert(
      fc.property(setup, ({ weights, activations, budget, encodes }) => {
        const stages = STAGES.map((stage, i) => ({ stage, bytes: activations[i]!, byCategory: {} }));
        const free = Object.fromEntries(stages.map(({ stage, bytes }) => [stage, budget - bytes])) as Record<
          Stage,
          number
        >;
        const idle = idleOf(encodes);
        const chosen = chooseResidency(weights, stages, budget, idle);
        const best = fewest(weights, free, idle);
        expect(chosen === undefined).toBe(best === undefined);
        if (!chosen) return;
        expect(loadedInSecondRun(weights, (stage) => chosen[stage], idle)).toBe(best);
        expect(reloadedBytes(weights, chosen, idle)).toBe(best);
        for (const stage of STAGES)
          expect(chosen[stage].reduce((sum, part) => sum + weights[part], 0)).toBeLessThanOrEqual(
            Math.max(0, free[stage]),
          );
      }),
      { numRuns: 40 },
    );
  });

  it("has every part in every stage where the budget is large", () => {
    const stages = STAGES.map((stage) => ({ stage, bytes: 10, byCategory: {} }));
    const all: Residency = chooseResidency({ textEncoder: 1, transformer: 2, vae: 3 }, stages, 16, new Set())!;
    for (const stage of STAGES) expect(all[stage]).toEqual(PARTS);
    expect(chooseResidency({ textEncoder: 1, transformer: 2, vae: 3 }, stages, 15, new Set())).not.toEqual(all);
  });

  it("has at least the part that a stage works with", () => {
    expect(leastResidency(new Set())).toEqual(Object.fromEntries(STAGES.map((stage) => [stage, [USES[stage]]])));
    expect(leastResidency(new Set(["encode"])).encode).toEqual([]);
  });
});
