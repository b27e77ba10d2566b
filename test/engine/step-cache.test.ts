import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Engine } from "../../runtime/engine/engine.ts";
import type { MemoryScope } from "../../runtime/gpu/memory.ts";
import { accumulateMatrix, readMatrix, writeMatrix } from "../../runtime/gpu/chunked-matrix.ts";
import type { ChunkedMatrix } from "../../runtime/gpu/tensor.ts";
import { guide } from "../../runtime/pipeline/sample-picture.ts";
import {
  Denoiser,
  type DenoiserOptions,
  computeReferenceKeysValues,
  type ReferenceMode,
} from "../../runtime/transformer/denoiser.ts";
import { ModulationTable } from "../../runtime/transformer/modulation.ts";
import { freeKeysValues } from "../../runtime/transformer/reference-cache.ts";
import { type Grid, gridTokens } from "../../runtime/transformer/rotary.ts";
import type { StepCacheMethod, StepCacheOptions } from "../../runtime/transformer/step-cache.ts";
import { expectClose, randomValues } from "../support/compare.ts";
import { modelFolder, openNano } from "../support/nano.ts";

const GRID: Grid = { height: 4, width: 4 };
const REFERENCE_GRIDS: readonly Grid[] = [
  { height: 2, width: 3 },
  { height: 1, width: 2 },
];
const SIGMAS = [1, 0.9, 0.8, 0.6, 0.3, 0];
const SIGMA_ZERO_ROW = SIGMAS.length - 1;

/** Each method at its most eager: a change of 1 is one of all that is there. */
const METHODS: readonly StepCacheMethod[] = [
  { kind: "first-block", threshold: 1 },
  { kind: "tea", distance: 1000, coefficients: [1, 0] },
  { kind: "dual-block", threshold: 1, skipInterval: 100, firstBlocks: 2, lastBlocks: 0 },
  { kind: "dual-block", threshold: 1, skipInterval: 100, firstBlocks: 1, lastBlocks: 2 },
];
const eager = (method: StepCacheMethod, more: Partial<StepCacheOptions> = {}): StepCacheOptions => ({
  method,
  startStep: 0,
  endStep: 1000,
  maxConsecutive: 1000,
  ...more,
});
/** The same method with a threshold that allows no reuse. */
const never = (method: StepCacheMethod): StepCacheMethod =>
  method.kind === "tea" ? { ...method, distance: 0 } : { ...method, threshold: 0 };

/** How references take part, if any. */
interface Setting {
  readonly name: string;
  readonly mode: ReferenceMode;
  readonly isolated: boolean;
  readonly references: boolean;
}
const SETTINGS: readonly Setting[] = [
  { name: "no references", mode: "exact", isolated: true, references: false },
  { name: "cached references", mode: "exact", isolated: true, references: true },
  { name: "isolated references, recomputed", mode: "recompute", isolated: true, references: true },
  { name: "full attention, recomputed", mode: "recompute", isolated: false, references: true },
  { name: "full attention, cached from the first step", mode: "step-one", isolated: false, references: true },
];
const [ALONE] = SETTINGS as readonly [Setting];
const LAST_BLOCKS = METHODS.at(-1)!;
const label = (method: StepCacheMethod): string =>
  method.kind === "dual-block" ? `${method.kind} with ${method.lastBlocks} last` : method.kind;
/** The whole matrix takes minutes on a software GPU. */
const FULL = process.env["KLEINBILD_FULL"] === "1";
/**
 * Full runs: each method without references, and the method that caches the most streams with references in every mode.
 * Otherwise only this method with cached references.
 */
const PAIRS = [
  ...METHODS.map((method) => [label(method), ALONE.name, method, ALONE] as const),
  ...SETTINGS.slice(1).map((setting) => [label(LAST_BLOCKS), setting.name, LAST_BLOCKS, setting] as const),
].filter((_, i) => FULL || i === METHODS.length);

describe("a denoiser with a step cache", () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await openNano({ folder: modelFolder("klein-nano-base") });
  });
  afterAll(() => engine.dispose());

  interface Run {
    readonly denoiser: Denoiser;
    readonly scope: MemoryScope;
    /** Embedded text states of nothing in particular. */
    readonly text: (seed: number) => Promise<ChunkedMatrix>;
    readonly latents: () => ChunkedMatrix;
  }

  /** Gives `use` a denoiser, and frees it and all it needed. */
  async function withDenoiser<T>(
    setting: Setting,
    options: Pick<DenoiserOptions, "stepCache" | "stepOfRow">,
    use: (run: Run) => Promise<T>,
  ): Promise<T> {
    const { gpu, transformer: model, rowsPerChunk, config } = engine.model;
    return gpu.checked("step cache", async () => {
      using scope = gpu.memory.scope();
      const rows = (values: Float32Array, columns: number): ChunkedMatrix => {
        const made = scope.matrix("test input", "f32", values.length / columns, columns, rowsPerChunk);
        writeMatrix(gpu.recorder, made, values);
        return made;
      };
      const { inChannels, textWidth } = model.config;
      const table = await ModulationTable.create(model, { scope, sigmas: SIGMAS });
      const referenceTokens = REFERENCE_GRIDS.reduce((sum, grid) => sum + gridTokens(grid), 0);
      const references = setting.references
        ? { latents: rows(randomValues(referenceTokens * inChannels, 3), inChannels), grids: REFERENCE_GRIDS }
        : undefined;
      const pass = { gpu, model, table, sigmaZeroRow: SIGMA_ZERO_ROW };
      const cached =
        references && setting.mode === "exact" ? await computeReferenceKeysValues(pass, references) : undefined;
      const denoiser = new Denoiser({
        ...pass,
        ...setting,
        ...options,
        scope,
        grid: GRID,
        textLength: config.textLength,
        references,
        cached,
      });
      const text = (seed: number): Promise<ChunkedMatrix> =>
        model.embed(scope, rows(randomValues(config.textLength * textWidth, seed), textWidth), model.weights.textIn);
      const latents = (): ChunkedMatrix => rows(randomValues(gridTokens(GRID) * inChannels, 4), inChannels);
      try {
        return await use({ denoiser, scope, text, latents });
      } finally {
        denoiser.dispose();
        if (cached) freeKeysValues(gpu.memory, cached);
      }
    });
  }

  /** Latents after guided Euler steps, and evaluations that reused, of `steps` · 2. */
  async function sample(stepCache: StepCacheOptions | undefined, steps: number) {
    const { recorder } = engine.model.gpu;
    return withDenoiser(ALONE, { stepCache }, async ({ denoiser, scope, text, latents }) => {
      const x = latents();
      const [positive, negative] = [await text(5), await text(6)];
      for (let step = 0; step < steps; step++) {
        const conditional = await denoiser.velocity(x, positive, step);
        const unconditional = await denoiser.velocity(x, negative, step);
        guide(recorder, unconditional, conditional, 3);
        accumulateMatrix(recorder, x, 1, unconditional, SIGMAS[step + 1]! - SIGMAS[step]!);
        scope.releaseMatrix(conditional, unconditional);
      }
      return { latents: await readMatrix(recorder, x), skipped: denoiser.skipped };
    });
  }

  /** The velocities of the same latents at these rows, and how many evaluations had reused after each. */
  async function velocities(
    setting: Setting,
    options: Pick<DenoiserOptions, "stepCache" | "stepOfRow">,
    rows: readonly number[],
  ) {
    return withDenoiser(setting, options, async ({ denoiser, text, latents }) => {
      const words = await text(5);
      const values: Float32Array[] = [];
      const skipped: number[] = [];
      for (const row of rows) {
        values.push(await readMatrix(engine.model.gpu.recorder, await denoiser.velocity(latents(), words, row)));
        skipped.push(denoiser.skipped);
      }
      return { values, skipped };
    });
  }

  it.each(PAIRS)("gives the same velocities with a threshold of 0: %s, %s", async (_kind, _name, method, setting) => {
    const plain = await velocities(setting, {}, [0, 1]);
    const cached = await velocities(setting, { stepCache: eager(never(method)) }, [0, 1]);
    expect(cached.skipped).toEqual([0, 0]);
    expect(cached.values).toEqual(plain.values);
  });

  it.each(PAIRS)(
    "gives the same velocity when nothing has changed since it was cached: %s, %s",
    async (_kind, _name, method, setting) => {
      const { values, skipped } = await velocities(setting, { stepCache: eager(method) }, [1, 1, 1]);
      expect(skipped).toEqual([0, 1, 2]);
      const [computed, ...reused] = values as [Float32Array, ...Float32Array[]];
      // hidden + (after − before) is not quite after
      const tolerance = { absolute: 2e-4 * Math.max(...computed.map(Math.abs)) };
      for (const velocity of reused) expectClose(velocity, computed, tolerance);
    },
  );

  it("runs only the blocks of its method when it reuses", async () => {
    const expected = [["double.0"], [], ["double.0", "double.1"], ["double.0", "single.3", "single.4"]];
    const seen: string[][] = [];
    for (const method of METHODS)
      await withDenoiser(ALONE, { stepCache: eager(method) }, async ({ denoiser, text, latents }) => {
        const words = await text(5);
        await denoiser.velocity(latents(), words, 0);
        const blocks: string[] = [];
        await denoiser.velocity(latents(), words, 0, { trace: async (block) => void blocks.push(block) });
        seen.push(blocks);
      });
    expect(seen).toEqual(expected);
  });

  it("skips as many evaluations of both passes as window and limits allow, which changes the latents", async () => {
    const all = FULL ? 4 : 2;
    const plain = await sample(undefined, all);
    expect(plain.skipped).toBe(0);
    const cases = [
      [METHODS[2]!, { startStep: 1, endStep: 3 }, FULL ? 2 : 1], // 1, 2; of two steps 1
      [METHODS[0]!, {}, 3], // 1, 2, 3
      [METHODS[1]!, { startStep: 2 }, 2], // 2, 3
      [METHODS[3]!, { maxConsecutive: 1 }, 2], // 1, 3
      [{ ...METHODS[3]!, skipInterval: 2 }, { maxConsecutive: 3 }, 2], // 1, 2
    ] as [StepCacheMethod, Partial<StepCacheOptions>, number][];
    for (const [method, more, steps] of FULL ? cases : cases.slice(0, 1)) {
      const { skipped, latents } = await sample(eager(method, more), all);
      expect(skipped).toBe(2 * steps);
      expect(latents).not.toEqual(plain.latents);
    }
  });

  it("decides for each pass of guidance by itself", async () => {
    await withDenoiser(ALONE, { stepCache: eager(METHODS[0]!) }, async ({ denoiser, text, latents }) => {
      const [positive, negative] = [await text(5), await text(6)];
      const skipped: number[] = [];
      for (const words of [positive, negative, negative, positive, positive]) {
        await denoiser.velocity(latents(), words, 0);
        skipped.push(denoiser.skipped);
      }
      expect(skipped).toEqual([0, 0, 1, 2, 3]);
    });
  });

  it("knows the step of each row where a step has several evaluations", async () => {
    const stepCache = eager(METHODS[0]!, { startStep: 1, endStep: 2 });
    const { skipped } = await velocities(ALONE, { stepCache, stepOfRow: [0, 0, 1, 1, 2] }, [0, 1, 2, 3, 4]);
    expect(skipped).toEqual([0, 0, 1, 2, 2]);
  });

  it("refuses a split that leaves no block to skip", async () => {
    const method = { kind: "dual-block", threshold: 1, skipInterval: 2, firstBlocks: 4, lastBlocks: 4 } as const;
    await expect(velocities(ALONE, { stepCache: eager(method) }, [0])).rejects.toMatchObject({
      code: "invalid-request",
    });
  });

  it("frees all its memory", async () => {
    const { memory } = engine.model.gpu;
    const used = () =>
      (["activations", "referenceCache", "transfer"] as const).map(
        (part) => memory.report().byCategory[part]?.currentBytes ?? 0,
      );
    await velocities(SETTINGS[3]!, {}, [0]);
    const before = used();
    for (const setting of FULL ? [ALONE, ...SETTINGS.slice(2)] : SETTINGS.slice(-1))
      await velocities(setting, { stepCache: eager(LAST_BLOCKS) }, [0, 1]);
    expect(used()).toEqual(before);
  });
});
