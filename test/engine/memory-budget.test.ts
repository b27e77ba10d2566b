import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import type { Engine } from "../../runtime/engine/engine.ts";
import type { MemoryReport } from "../../runtime/gpu/memory.ts";
import type { PixelImage } from "../../runtime/image/pixels.ts";
import { lorasByWeights } from "../../runtime/pipeline/loras-by-weights.ts";
import type { LoraUse } from "../../runtime/pipeline/pipeline-request.ts";
import type { MemoryPlan } from "../../runtime/memory-plan/memory-plan.ts";
import { planMemory } from "../../runtime/memory-plan/memory-planner.ts";
import { planRequest } from "../../runtime/memory-plan/request-plan.ts";
import type { Stage } from "../../runtime/pipeline/stages.ts";
import type { GenerateRequest } from "../../runtime/request/request.ts";
import { resolveRequest } from "../../runtime/request/resolve-request.ts";
import { readLoras } from "../../runtime/request/loras.ts";
import { buildSigmas } from "../../runtime/sampling/schedule.ts";
import { SCHEDULERS } from "../../runtime/sampling/scheduler.ts";
import { compileSolver } from "../../runtime/sampling/solver.ts";
import { tunedBefore } from "../support/tuning.ts";
import { loraFile } from "../support/lora-files.ts";
import { NANO, openNano, type OpenOptions, randomPicture, runEngine, TINY } from "../support/nano.ts";

/** A small golden model whose references take part in full attention. */
const PLAIN = fileURLToPath(new URL("../golden/models/plain", import.meta.url));

/** Another, whose references are isolated. */
const KV = fileURLToPath(new URL("../golden/models/kv", import.meta.url));

/** Buffers that onnxruntime keeps are the harder part of a plan. */
const openOnOrt = (options: OpenOptions = {}): Promise<Engine> => openNano({ backend: "ort", ...options });

/** The plan of a request, of which the engine says dtype, quantization and limits. */
function planOf(
  engine: Engine,
  request: GenerateRequest,
  budgetBytes?: number,
  loras: readonly LoraUse[] = [],
): Promise<MemoryPlan> {
  const { config, info } = engine;
  const resolved = resolveRequest(request, config);
  const { width, height } = resolved.size!;
  const { solver, spacing } = SCHEDULERS[resolved.scheduler];
  const sigmas = buildSigmas({ tokens: (width * height) / 256, steps: resolved.steps, spacing });
  const references = resolved.references as readonly PixelImage[];
  const run = { ...resolved, width, height, references, program: compileSolver(solver, sigmas), loras };
  const { doubleBlocks, singleBlocks } = config.transformer;
  return planMemory(config, {
    scalar: info.dtype,
    quantization: info.quantization,
    backends: engine.model.backends,
    maxBindingBytes: engine.model.gpu.memory.maxBindingBytes,
    budgetBytes,
    request: planRequest(run, {
      pictures: resolved.results,
      blocks: doubleBlocks + singleBlocks,
      scalar: info.dtype,
      loras: [...lorasByWeights(engine.model, run).values()],
    }),
  });
}

/** GPU memory of each stage of a run. `references` includes `encode`, because no event separates the two. */
async function measureStages(engine: Engine, request: GenerateRequest): Promise<ReadonlyMap<Stage, MemoryReport>> {
  const { memory } = engine.model.gpu;
  const reports = new Map<Stage, MemoryReport>();
  await runEngine(engine, request, {
    onEvent: (event) => {
      const stage =
        event.type === "encode"
          ? event.what === "references"
            ? "references"
            : "prompt"
          : event.type === "step"
            ? "steps"
            : "decode";
      if (event.type === "result") return;
      const report = memory.report();
      const before = reports.get(stage);
      if (!before || before.peakBytes < report.peakBytes) reports.set(stage, report);
      memory.resetPeak();
    },
  });
  return reports;
}

describe("the plan of a run", () => {
  const wide = { ...TINY, steps: 2, width: 96, height: 64, references: [randomPicture(1), randomPicture(2, 64, 80)] };
  for (const [what, folder, options, request] of [
    ["isolated references, previews", NANO, {}, { ...wide, previews: true }],
    [
      "isolated references, recomputed, q8, bindings of 1 MiB",
      NANO,
      { quantization: "q8", maxBindingBytes: 2 ** 20 },
      { ...wide, referenceMode: "recompute" },
    ],
    [
      "own kernels, isolated references, recomputed, a step cache",
      NANO,
      { backend: "wgsl" },
      {
        ...wide,
        steps: 3,
        previews: true,
        referenceMode: "recompute",
        acceleration: { method: "first-block", threshold: 0 },
      },
    ],
    [
      "own kernels, convolutions on onnxruntime, q4",
      NANO,
      {
        backend: "auto",
        quantization: "q4",
        tuningCache: tunedBefore({ plain: "direct", q4: "direct", convolution: "ort" }),
      },
      { ...wide, previews: true },
    ],
    [
      "q8 on onnxruntime, own kernels for the others",
      NANO,
      {
        backend: "auto",
        quantization: "q8",
        tuningCache: tunedBefore({ plain: "direct", q8: "ort", convolution: "direct" }),
      },
      { ...wide, previews: true },
    ],
    ["f16, q4", NANO, { dtype: "f16", quantization: "q4" }, { ...TINY, width: 80, references: [randomPicture(1)] }],
    ["full attention, guidance", PLAIN, {}, { ...wide, guidance: 3, distilled: false }],
    [
      "keys and values of step one, guidance, bindings of 144 KiB",
      PLAIN,
      { maxBindingBytes: 144 << 10 },
      { ...wide, width: 64, references: [randomPicture(1)], guidance: 3, distilled: false, referenceMode: "step-one" },
    ],
    [
      "a step cache of every stream, a solver that keeps predictions",
      PLAIN,
      {},
      {
        ...wide,
        steps: 3,
        scheduler: "DPM++ 2M",
        acceleration: { method: "dual-block", lastBlocks: 1, firstBlocks: 1, threshold: 0 },
      },
    ],
  ] as const satisfies readonly (readonly [string, string, OpenOptions, GenerateRequest])[])
    it(`is what the ledger measures, stage by stage: ${what}`, async () => {
      const engine = await openOnOrt({ folder, ...options });
      const plan = await planOf(engine, request);
      const planned = new Map(plan.stages.map((stage) => [stage.stage, stage]));
      const bytes = (stage: Stage): number => planned.get(stage)!.byCategory.activations ?? 0;
      const measured = await measureStages(engine, request);
      expect([...measured.keys()]).toEqual(["prompt", "references", "steps", "decode"]);
      for (const [stage, { peakBytes, byCategory }] of measured) {
        const most = Math.max(
          planned.get(stage)!.peakBytes,
          stage === "references" ? planned.get("encode")!.peakBytes : 0,
        );
        process.stderr.write(`${what}, ${stage}: measured ${peakBytes}, planned ${most}\n`);
        expect.soft(peakBytes, stage).toBeLessThanOrEqual(most);
        expect.soft(peakBytes, stage).toBeGreaterThan(0.75 * most);
        expect
          .soft(byCategory.onnxruntime?.peakBytes ?? 0, stage)
          .toBeLessThanOrEqual(planned.get(stage)!.byCategory.onnxruntime ?? 0);
        expect.soft(byCategory.transformer!.peakBytes).toBe(plan.weights.transformer);
        expect.soft(byCategory.vae!.peakBytes).toBe(plan.weights.vae);
        expect
          .soft(byCategory.activations!.peakBytes, `activations of ${stage}`)
          .toBe(stage === "references" ? Math.max(bytes("encode"), bytes("references")) : bytes(stage));
      }
      await engine.dispose();
    });

  it("has room for LoRAs, with keys and values of references for each set of weights", async () => {
    const engine = await openOnOrt();
    const data = loraFile(engine.config.transformer, "diffusers", { rank: 8, alpha: 8, strength: 0.3 });
    const wanted = {
      ...TINY,
      steps: 3,
      references: [randomPicture(1)],
      loras: [{ data, stages: "high" }, { data }],
    } as const;
    const plan = await planOf(engine, wanted, undefined, await readLoras(resolveRequest(wanted, engine.config).loras));
    const { report } = await runEngine(engine, wanted);
    const { peakBytes, byCategory } = report.memory;
    process.stderr.write(`LoRAs: measured ${peakBytes}, planned ${plan.peakBytes}\n`);
    expect(peakBytes).toBeLessThanOrEqual(plan.peakBytes);
    expect(peakBytes).toBeGreaterThan(0.9 * plan.peakBytes);
    expect(byCategory.onnxruntime!.peakBytes).toBeLessThanOrEqual(plan.byCategory.onnxruntime!);
    expect(byCategory.referenceCache!.peakBytes).toBe(plan.byCategory.referenceCache);
    expect(byCategory.activations!.peakBytes).toBe(plan.byCategory.activations);
    const [added, planned] = [byCategory.transformer!.peakBytes, plan.byCategory.transformer!].map(
      (bytes) => bytes - plan.weights.transformer,
    );
    expect(added).toBeLessThanOrEqual(planned!);
    expect(added).toBeGreaterThan(0.5 * planned!);
    await engine.dispose();
  });
});

describe("a budget", () => {
  const request = { ...TINY, results: 2, references: [randomPicture(1)], previews: true } as const;
  let expected: readonly Uint8ClampedArray[];
  let all: MemoryPlan;
  /** Bytes that just suffice when every part is there for its own stages only. */
  let least: number;

  const run = async (
    engine: Engine,
    wanted: GenerateRequest = request,
  ): Promise<{
    readonly pictures: readonly Uint8ClampedArray[];
    readonly loads: readonly string[];
    readonly peak: number;
  }> => {
    const { events } = await runEngine(engine, wanted);
    const results = events.filter((event) => event.type === "result");
    return {
      pictures: results.map(({ image }) => image.data),
      loads: events.flatMap((event, i) => {
        const next = events[i + 1];
        const over = event.type === "load" && !(next?.type === "load" && next.part === event.part);
        return over ? [event.part] : [];
      }),
      peak: Math.max(...results.map(({ report }) => report.memory.peakBytes)),
    };
  };

  beforeAll(async () => {
    const engine = await openOnOrt({ folder: KV });
    all = await planOf(engine, request);
    least = (await planOf(engine, request, 0)).peakBytes;
    ({ pictures: expected } = await run(engine));
    await engine.dispose();
  });

  it("of all that the plan wants keeps every part, and one byte less does not", async () => {
    const engine = await openOnOrt({ folder: KV, memoryBudgetBytes: all.peakBytes });
    expect((await planOf(engine, request, all.peakBytes)).loadedBytes).toBe(0);
    const first = await run(engine);
    expect(first).toMatchObject({ loads: [], pictures: expected });
    expect(first.peak).toBeLessThanOrEqual(all.peakBytes);
    const other = await planOf(engine, request, all.peakBytes - 1);
    expect(other.fits).toBe(true);
    expect(other.loadedBytes).toBeGreaterThan(0);
    await engine.dispose();
  });

  it("of the least that is possible has each part for its stages only, and gives the same pictures", async () => {
    const engine = await openOnOrt({ folder: KV, memoryBudgetBytes: least });
    const { memory } = engine.model.gpu;
    expect(["textEncoder", "transformer", "vae"].map((part) => engine.model.isLoaded(part as "vae"))).toEqual([
      true,
      false,
      false,
    ]);
    for (const loads of [
      ["vae", "transformer", "vae"], // of references, then of the pictures, which are sampled one after the other before
      ["transformer", "vae"], // prompt and references are cached
    ]) {
      const { pictures, peak, ...rest } = await run(engine);
      expect(rest.loads).toEqual(loads);
      expect(pictures).toEqual(expected);
      expect(peak).toBeLessThanOrEqual(least);
    }
    await engine.dispose();
    expect(memory.report().currentBytes).toBe(0);
  });

  it("keeps the transformer for a prompt with cached embeddings, if only the text encoder would not fit as well", async () => {
    const plain = { ...TINY, width: 96 };
    const probe = await openOnOrt({ folder: KV });
    const { weights, stages } = await planOf(probe, plain);
    await probe.dispose();
    const together = Math.max(...stages.map(({ peakBytes }) => peakBytes));
    const engine = await openOnOrt({ folder: KV, memoryBudgetBytes: together - weights.textEncoder });
    expect((await run(engine, plain)).loads).toEqual(["transformer"]);
    expect((await run(engine, plain)).loads).toEqual([]);
    expect((await run(engine, { ...plain, prompt: "another" })).loads).toContain("textEncoder");
    await engine.dispose();
  });

  it("refuses a request that does not fit before any work, and names the nearest size that does", async () => {
    const engine = await openOnOrt({ folder: KV, memoryBudgetBytes: least });
    const large = { ...TINY, width: 512, height: 256 };
    const before = engine.info.memory.currentBytes;
    const refusal: unknown = await run(engine, large).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: "over-budget", details: { budgetBytes: least, stage: "decode" } });
    const { details, message } = refusal as {
      details: Record<"width" | "height" | "bytes" | "missingBytes", number>;
      message: string;
    };
    const { width, height } = details;
    expect(message).toContain(`The nearest size that fits is ${width} x ${height}.`);
    expect(details.bytes - details.missingBytes).toBe(least);
    expect(engine.info.memory.currentBytes).toBe(before);
    expect(width).toBe(2 * height);
    const { peak } = await run(engine, { ...large, width, height });
    expect(peak).toBeLessThanOrEqual(least);
    expect((await planOf(engine, { ...large, width: width + 32, height: height + 16 }, least)).fits).toBe(false);
    await engine.dispose();
    await expect(openOnOrt({ folder: KV, memoryBudgetBytes: 1e6 })).rejects.toMatchObject({ code: "over-budget" });
  });

  it("drops cached references before it unloads parts", async () => {
    const engine = await openOnOrt({ folder: KV, memoryBudgetBytes: all.peakBytes + 5e4 });
    await run(engine, { ...request, results: 1, references: [randomPicture(2, 64, 96)] });
    expect(engine.info.referenceCache.entries).toBe(1);
    const { loads, pictures, peak } = await run(engine);
    expect(loads).toEqual([]);
    expect(pictures).toEqual(expected);
    expect(peak).toBeLessThanOrEqual(all.peakBytes + 5e4);
    expect(engine.info.referenceCache).toMatchObject({ entries: 1, evictions: 1 });
    await engine.dispose();
  });

  it("makes the dense backend free the memory of a larger earlier request", async () => {
    const engine = await openOnOrt({ folder: KV, memoryBudgetBytes: 1e9 });
    const pooled = (): number => engine.info.memory.byCategory.onnxruntime!.currentBytes;
    const planned = (await planOf(engine, TINY)).byCategory.onnxruntime!;
    await run(engine, { ...TINY, width: 160, height: 160 });
    expect(pooled()).toBeGreaterThan(planned);
    await run(engine, TINY);
    expect(pooled()).toBeLessThanOrEqual(planned);
    await engine.dispose();
  });

  it("holds after a lost GPU and after an abort while a part is loaded in a run", async () => {
    const engine = await openOnOrt({ folder: KV, memoryBudgetBytes: least });
    const abort = new AbortController();
    const reason = new Error("enough");
    const aborted = runEngine(engine, request, {
      signal: abort.signal,
      onEvent: (event) => void (event.type === "load" && event.part === "transformer" && abort.abort(reason)),
    });
    await expect(aborted).rejects.toBe(reason);
    let lost = false;
    const { events } = await runEngine(engine, request, {
      onEvent: (event) => {
        if (event.type !== "step" || lost) return;
        lost = true;
        engine.model.gpu.lost = { reason: "unknown", message: "simulated" } as GPUDeviceLostInfo;
      },
    });
    const results = events.filter((event) => event.type === "result");
    expect(results.map(({ image }) => image.data)).toEqual(expected);
    expect(results[0]!.report.warnings).toHaveLength(1);
    expect(results[1]!.report.memory.peakBytes).toBeLessThanOrEqual(least);
    await engine.dispose();
  });
});
