import type { GpuMemory, MemoryCategory, MemoryReport } from "../gpu/memory.ts";
import { type Tensor, tensorBytes } from "../gpu/tensor.ts";
import type { LoadedModel } from "../loaded-model/loaded-model.ts";
import { type NullModelOptions, openNullModel } from "../loaded-model/null-model.ts";
import { runPipeline } from "../pipeline/run-pipeline.ts";
import type { StageObserver } from "../pipeline/stage-runner.ts";
import { type Stage, STAGES } from "../pipeline/stages.ts";
import { CACHED_PROMPTS } from "../text/prompt-embedding-cache.ts";
import { matricesOf } from "../transformer/matrices.ts";
import { PIXELS_PER_TOKEN } from "../vae/autoencoder.ts";
import { WEIGHT_PARTS, type WeightPart } from "../weights/inventory.ts";
import { nullRun } from "./null-run.ts";
import type { PlannedRequest } from "./planned-request.ts";

/** Bytes by category. */
export type CategoryBytes = Partial<Record<MemoryCategory, number>>;

/** Bytes that the weights of each part take on the GPU. */
export type PartWeights = Readonly<Record<WeightPart, number>>;

/** Most bytes of a stage beside the weights. */
export interface StageMemory {
  readonly stage: Stage;
  readonly bytes: number;
  readonly byCategory: CategoryBytes;
}

/** Room for timestamps of the stage clock, which the null device does not have. */
const CLOCK_BYTES = 16_384;

/** Measures by dry runs on the null device how much memory a run takes, stage by stage. One run at a time. */
export class StageMeter {
  readonly weights: PartWeights;
  readonly #model: LoadedModel;

  private constructor(model: LoadedModel, weights: PartWeights) {
    this.#model = model;
    this.weights = weights;
  }

  /**
   * @param loraRank  rank of the LoRAs of all runs
   * @throws KleinbildError `unsupported` when a binding is too small for the model
   */
  static async open(options: NullModelOptions, loraRank: number): Promise<StageMeter> {
    const model = await openNullModel(options);
    const { byCategory } = model.gpu.memory.report();
    const bytes = (part: WeightPart): number => byCategory[part]?.currentBytes ?? 0;
    const weights = { textEncoder: bytes("textEncoder"), transformer: bytes("transformer"), vae: bytes("vae") };
    if (loraRank > 0) addLowRank(model, loraRank);
    return new StageMeter(model, weights);
  }

  /**
   * The memory of a run in a later request: the caches of prompts and onnxruntime's buffers are as full as they get.
   * @throws KleinbildError `unsupported` or `invalid-shape` when a binding is too small for the request
   */
  async measure(request: PlannedRequest): Promise<readonly StageMemory[]> {
    const model = this.#model;
    await model.releasePool();
    // after one run onnxruntime keeps the buffers of all stages
    if (Object.values(model.backends).includes("ort")) await this.#run(request);
    const reports = await this.#run(request);
    // a stage without work holds what the first stage leaves
    return STAGES.map((stage) =>
      this.#stageMemory(stage, reports.get(stage) ?? atRest(reports.get("prompt")!), request),
    );
  }

  async #run(request: PlannedRequest): Promise<ReadonlyMap<Stage, MemoryReport>> {
    const model = this.#model;
    const observer = new StageReports(model.gpu.memory);
    model.preview.reset();
    try {
      const events = runPipeline(model, nullRun(request, model.config), { observer });
      while (!(await events.next()).done);
      return observer.reports;
    } finally {
      model.referenceCache.clear();
      model.promptEmbeddings.clear();
    }
  }

  /** What was reported, without weights and with what a dry run leaves out. All of it stays the same throughout the stage. */
  #stageMemory(stage: Stage, report: MemoryReport, request: PlannedRequest): StageMemory {
    const { pictures, solverRegisters, guidance, loraBytes } = request;
    const byCategory = peaksOf(report);
    let bytes = report.peakBytes;
    const add = (category: MemoryCategory, more: number): void => {
      byCategory[category] = (byCategory[category] ?? 0) + more;
      bytes += more;
    };
    for (const part of WEIGHT_PARTS) add(part, -this.weights[part]);
    add("transfer", CLOCK_BYTES);
    // all that the cache holds, and one more while that is computed; this run's prompts are counted already
    const prompts = (stage === "prompt" ? CACHED_PROMPTS + 1 : CACHED_PROMPTS) - (guidance ? 2 : 1);
    add("textEncoder", prompts * this.#promptBytes);
    if (stage !== "prompt" && stage !== "encode") add("transformer", loraBytes);
    if (stage === "steps") add("activations", solverRegisters * this.#latentBytes(request));
    // all pictures are sampled before the first is decoded where the transformer does not stay
    if (stage === "steps" || stage === "decode") add("activations", (pictures - 1) * this.#latentBytes(request));
    const present = Object.entries(byCategory).filter(([, size]) => size > 0);
    return { stage, bytes, byCategory: Object.fromEntries(present) };
  }

  get #promptBytes(): number {
    const { textLength, text, textLayers } = this.#model.config;
    return tensorBytes("f32", [textLength, text.hidden * textLayers.length]);
  }

  #latentBytes({ width, height }: PlannedRequest): number {
    const { inChannels } = this.#model.config.transformer;
    return tensorBytes("f32", [(width * height) / PIXELS_PER_TOKEN ** 2, inChannels]);
  }
}

/** Reports of the memory of each stage. */
class StageReports implements StageObserver {
  readonly reports = new Map<Stage, MemoryReport>();
  readonly #memory: GpuMemory;

  constructor(memory: GpuMemory) {
    this.#memory = memory;
  }

  begin(): void {
    this.#memory.resetPeak();
  }

  end(stage: Stage): void {
    this.reports.set(stage, this.#memory.report());
  }
}

function peaksOf({ byCategory }: MemoryReport): CategoryBytes {
  return Object.fromEntries(Object.entries(byCategory).map(([category, { peakBytes }]) => [category, peakBytes]));
}

/** The memory at the end of a report. */
function atRest({ currentBytes, byCategory }: MemoryReport): MemoryReport {
  const rest = Object.entries(byCategory).map(([category, { currentBytes: bytes }]) => [
    category,
    { currentBytes: bytes, peakBytes: bytes },
  ]);
  return { currentBytes, peakBytes: currentBytes, byCategory: Object.fromEntries(rest) };
}

/**
 * Gives every matrix of the transformer factors of a LoRA. They have no buffers: how many bytes LoRAs take depends on the
 * layers that they change.
 */
function addLowRank(model: LoadedModel, loraRank: number): void {
  const rank = Math.ceil(loraRank / 4) * 4; // as LoRAs are padded
  const factor = (...shape: number[]): Omit<Tensor, "buffer"> => ({ dtype: model.scalar, shape });
  for (const { in: columns, pieces } of matricesOf(model.transformer.weights))
    for (const piece of pieces)
      Object.assign(piece, { lowRank: { rank, down: factor(rank, columns), up: factor(piece.rows, rank) } });
}
