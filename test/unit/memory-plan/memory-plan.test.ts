import fc from "fast-check";
import { everyOperator } from "../../../runtime/backend/operators.ts";
import { describe, expect, it } from "vitest";
import { KleinbildError } from "../../../runtime/errors.ts";
import type { MemoryPlan, PlanBudget } from "../../../runtime/memory-plan/memory-plan.ts";
import { MemoryPlanner, planMemory, type PlanOptions } from "../../../runtime/memory-plan/memory-planner.ts";
import { solverRegisters } from "../../../runtime/memory-plan/request-plan.ts";
import type { PlannedRequest } from "../../../runtime/memory-plan/planned-request.ts";
import { compileSolver, type SolverName, SOLVERS } from "../../../runtime/sampling/solver.ts";
import type { Evaluation } from "../../../runtime/sampling/solvers/program.ts";
import type { WeightPart } from "../../../runtime/weights/inventory.ts";
import { KLEIN_4B, KLEIN_9B } from "../../../bench/klein-configs.ts";
import { SMALL_CONFIG } from "../../support/model-config.ts";

const MIB = 2 ** 20;
const F16 = {
  scalar: "f16",
  quantization: "none",
  backends: everyOperator("ort"),
  maxBindingBytes: 128 * MIB,
} as const;
const SMALL = { scalar: "f32", quantization: "none", backends: everyOperator("ort"), maxBindingBytes: MIB } as const;

/** With two single blocks, so that a step cache may have blocks before and behind those that it skips. */
const MODEL = { ...SMALL_CONFIG, transformer: { ...SMALL_CONFIG.transformer, singleBlocks: 2 } };
const planner = new MemoryPlanner({ ...SMALL, config: MODEL });

const small = (request: Partial<PlannedRequest>, budget: PlanBudget = {}): Promise<MemoryPlan> =>
  planner.plan(request, budget);

describe("the plan of the real models", () => {
  it("has the weights' published sizes", async () => {
    const expectWeights = async (
      model: typeof KLEIN_4B,
      quantization: PlanOptions["quantization"],
      published: Readonly<Record<WeightPart, number>>,
    ): Promise<void> => {
      const { weights } = await planMemory(model, { ...F16, quantization });
      for (const [part, gigabytes] of Object.entries(published) as [WeightPart, number][])
        expect(weights[part] / 1e9 / gigabytes, part).toBeCloseTo(1, 2);
    };
    // files of 16 bits, without the token embedding, which stays with the file
    const [text4b, text9b] = [6.228 - 0.778, 11.664 - 1.245];
    await expectWeights(KLEIN_4B, "none", { textEncoder: text4b, transformer: 7.751, vae: 0.168 });
    await expectWeights(KLEIN_9B, "none", { textEncoder: text9b, transformer: 18.157, vae: 0.168 });
    // 4 bits, and 16 of a scale for 32 values; 0.39 GB of the transformer are no block matrices
    const q4 = (gigabytes: number): number => (gigabytes * 4.5) / 16;
    await expectWeights(KLEIN_4B, "q4", { textEncoder: q4(text4b), transformer: q4(7.751 - 0.39) + 0.39, vae: 0.168 });
  });

  it("keeps the published bytes for each reference token", async () => {
    const isolated = { ...KLEIN_4B, referenceAttention: "isolated" } as const;
    const bytes = async (model: typeof KLEIN_4B): Promise<number> =>
      (await planMemory(model, { ...F16, request: { references: [{ width: 1024, height: 1024 }] } }))
        .referenceCacheBytes;
    expect(await bytes(isolated)).toBe(4096 * 307_200);
    expect(await bytes({ ...KLEIN_9B, referenceAttention: "isolated" })).toBe(4096 * 524_288);
    expect(await bytes({ ...KLEIN_4B, referenceAttention: "full" })).toBe(0);
  });

  it("runs 4B in 4 bits at 1024 x 1024 within 4 GB, each part in its stages, and refuses 16 bits", async () => {
    const q4 = await planMemory(KLEIN_4B, { ...F16, quantization: "q4", budgetBytes: 4e9 });
    expect(q4).toMatchObject({ fits: true, missingBytes: 0, rowsPerChunk: 4369, bandRows: 254 });
    expect(q4.peakBytes).toBeLessThanOrEqual(4e9);
    expect(q4.residency.steps).not.toContain("textEncoder");
    const whole = await planMemory(KLEIN_4B, { ...F16, budgetBytes: 4e9 });
    expect(whole.fits).toBe(false);
    expect(whole.nearest).toBeUndefined(); // the transformer alone is larger
    expect(whole.missingBytes).toBe(whole.peakBytes - 4e9);
  });
});

describe("the plan of a request", () => {
  const sides = fc.integer({ min: 2, max: 24 }).map((tokens) => tokens * 16);
  const requests = fc.record({
    width: sides,
    height: sides,
    guidance: fc.boolean(),
    previews: fc.boolean(),
    references: fc.array(fc.constant({ width: 64, height: 96 }), { maxLength: 2 }),
    referenceMode: fc.constantFrom("recompute" as const, "step-one" as const),
    stepCache: fc.constantFrom("none" as const, "target" as const, "all" as const),
  });

  it("fits a budget of its smallest peak, and none that is smaller, for which the nearest size is a smaller one that fits", async () => {
    await fc.assert(
      fc.asyncProperty(requests, async (request) => {
        const least = (await small(request, { budgetBytes: 0 })).peakBytes;
        expect(await small(request, { budgetBytes: least })).toMatchObject({ fits: true, missingBytes: 0 });
        const refused = await small(request, { budgetBytes: least - 1 });
        expect(refused).toMatchObject({ fits: false, missingBytes: 1, peakBytes: least });
        const { nearest } = refused;
        if (!nearest) return;
        expect(Math.max(nearest.width, nearest.height)).toBeLessThan(Math.max(request.width, request.height));
        expect([nearest.width % 16, nearest.height % 16]).toEqual([0, 0]);
        expect((await small({ ...request, ...nearest }, { budgetBytes: least - 1 })).fits).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it("names the largest size of the same shape that fits", async () => {
    const budgetBytes = (await small({ width: 256, height: 128 }, { budgetBytes: 0 })).peakBytes;
    expect((await small({ width: 512, height: 256 }, { budgetBytes })).nearest).toEqual({ width: 256, height: 128 });
    expect((await small({ width: 512, height: 256 }, { budgetBytes: budgetBytes - 1 })).nearest).toEqual({
      width: 240,
      height: 128,
    });
  });

  it("takes no less for more: larger pictures, guidance, references, step caches, LoRAs, cached keys and values", async () => {
    const base = { width: 128, height: 128, previews: false } as const;
    const peak = async (more: Partial<PlannedRequest>, budget: PlanBudget = {}): Promise<number> =>
      (await small({ ...base, ...more }, budget)).stages.find(({ stage }) => stage === "steps")!.peakBytes;
    const plain = await peak({ guidance: false });
    const reference = { width: 64, height: 64 };
    expect(await peak({ guidance: false, width: 144 })).toBeGreaterThan(plain);
    expect(await peak({ guidance: true })).toBeGreaterThan(plain);
    expect(await peak({ guidance: false, references: [reference] })).toBeGreaterThan(plain);
    expect(await peak({ guidance: false, stepCache: "target" })).toBeLessThan(
      await peak({ guidance: false, stepCache: "all" }),
    );
    expect((await peak({ guidance: false, solverRegisters: 2 })) - plain).toBe(2 * 64 * 16 * 4);
    expect((await peak({ guidance: false, loraBytes: 1000 })) - plain).toBe(1000);
    expect((await peak({ guidance: false }, { cachedReferenceBytes: 500 })) - plain).toBe(500);
    expect(await peak({ guidance: false, evaluations: 50 })).toBeGreaterThan(plain);
  });

  it("loads nothing without a budget, and all that does not stay within one", async () => {
    const { loadedBytes, weights, stages } = await small({ previews: true }, { budgetBytes: 0 });
    expect(loadedBytes).toBe(weights.textEncoder + weights.transformer + 2 * weights.vae);
    expect(stages.map(({ resident }) => resident)).toEqual([
      ["textEncoder"],
      ["vae"],
      ["transformer"],
      ["transformer"],
      ["vae"],
    ]);
    expect((await small({})).loadedBytes).toBe(0);
    expect((await small({ previews: false, width: 64, height: 64 }, { budgetBytes: 0 })).stages[1]!.resident).toEqual(
      [],
    );
  });

  it("refuses pictures that no binding is wide enough for, and does not name such sizes", async () => {
    const wide = { width: 8192, height: 64 };
    const plan = planMemory(MODEL, { ...SMALL, maxBindingBytes: 2 ** 16, request: wide });
    await expect(plan).rejects.toThrow(KleinbildError);
    await expect(planMemory(MODEL, { ...SMALL, maxBindingBytes: 100 })).rejects.toThrow(/binds at most 100/);
  });
});

describe("the registers that a solver holds", () => {
  /** Registers that an assignment touches, or that were written before and are read after it. */
  const held = (plan: readonly Evaluation[]): number => {
    const all = plan.flatMap(({ assignments }) => assignments);
    const touches = all.map(({ target, terms }) => [target, ...terms.map(({ register }) => register)]);
    let most = 0;
    for (const [i, { terms }] of all.entries()) {
      const before = new Set(touches.slice(0, i + 1).flat());
      const after = new Set(touches.slice(i).flat());
      const own = [...before].filter((register) => after.has(register) && !["x", "velocity"].includes(register));
      most = Math.max(most, own.length + (terms.length === 1 && terms[0]!.factor !== 1 ? 1 : 0));
    }
    return most;
  };

  for (const solver of Object.keys(SOLVERS) as SolverName[])
    it(`are counted for ${solver}`, () => {
      const plan = compileSolver(solver, [1, 0.9, 0.75, 0.5, 0.3, 0.1, 0]);
      expect(solverRegisters(plan)).toBe(held(plan));
      expect(solverRegisters(plan)).toBeLessThanOrEqual(8);
    });

  it("are none for Euler", () => expect(solverRegisters(compileSolver("euler", [1, 0.5, 0]))).toBe(0));
});
