import type { MemoryCategory } from "../gpu/memory.ts";
import type { NullModelOptions } from "../loaded-model/null-model.ts";
import { rowsPerChunk } from "../loaded-model/rows-per-chunk.ts";
import type { Residency, Stage } from "../pipeline/stages.ts";
import { bandRows } from "../vae/bands.ts";
import type { WeightPart } from "../weights/inventory.ts";
import type { PlannedRequest, Size } from "./planned-request.ts";
import { chooseResidency, leastResidency, reloadedBytes, sum } from "./residency.ts";
import type { CategoryBytes, PartWeights, StageMemory } from "./stage-meter.ts";

/** A stage of a run with the weights that are on the GPU. */
export interface PlannedStage {
  /** The stage. */
  readonly stage: Stage;
  /** Parts whose weights are on the GPU. */
  readonly resident: readonly WeightPart[];
  /** Most bytes at once. */
  readonly peakBytes: number;
  /** Most bytes of each category; the peaks need not come at the same time. */
  readonly byCategory: Readonly<CategoryBytes>;
}

/** The memory that a run takes on the GPU. A run takes no more than its plan. */
export interface MemoryPlan {
  /** Whether the run stays within the budget. */
  readonly fits: boolean;
  /** Most bytes at once, of all stages. */
  readonly peakBytes: number;
  /** Most bytes of each category in any stage. */
  readonly byCategory: Readonly<CategoryBytes>;
  /** Bytes of the weights of each part. */
  readonly weights: PartWeights;
  /** The stages of the run, in order. */
  readonly stages: readonly PlannedStage[];
  /** Parts whose weights are on the GPU in each stage. */
  readonly residency: Residency;
  /** Bytes of weights that each of several runs in a row loads again. */
  readonly loadedBytes: number;
  /** Rows of a token stream that go through dense operators at once. */
  readonly rowsPerChunk: number;
  /** Rows of the picture in each band of the autoencoder's last maps. */
  readonly bandRows: number;
  /** Bytes of the references' keys and values that stay cached after the run. */
  readonly referenceCacheBytes: number;
  /** Bytes above the budget in the stage that is furthest above it; 0 when the run fits. */
  readonly missingBytes: number;
  /** The largest smaller size of the same shape that fits. Absent when this one fits, or no size does. */
  readonly nearest?: Size;
}

/** How much memory a run may take, and what is there beside it. */
export interface PlanBudget {
  /** Most bytes on the GPU at once. Default: no limit. */
  readonly budgetBytes?: number | undefined;
  /** Bytes of cached keys and values that the run does not use. Default: 0. */
  readonly cachedReferenceBytes?: number | undefined;
}

/** A run whose memory was measured. */
export interface MeasuredRun {
  readonly setup: Pick<NullModelOptions, "config" | "scalar" | "maxBindingBytes">;
  readonly request: PlannedRequest;
  readonly weights: PartWeights;
  readonly stages: readonly StageMemory[];
}

/** Decides which parts stay in which stage, and whether the run fits. Looks for no nearest size. */
export function decidePlan(
  { setup, request, weights, stages }: MeasuredRun,
  { budgetBytes = Infinity, cachedReferenceBytes = 0 }: PlanBudget,
): MemoryPlan {
  const { config, scalar, maxBindingBytes } = setup;
  const memory = stages.map((stage) => withReferences(stage, cachedReferenceBytes));
  const idle = new Set<Stage>(request.references.length > 0 || request.previews ? [] : ["encode"]);
  const chosen = chooseResidency(weights, memory, budgetBytes, idle);
  const residency = chosen ?? leastResidency(idle);
  const planned = memory.map((stage) => planStage(stage, residency[stage.stage], weights));
  const peakBytes = Math.max(...planned.map((stage) => stage.peakBytes));
  return {
    fits: chosen !== undefined,
    peakBytes,
    byCategory: mostOfEach(planned.map(({ byCategory }) => byCategory)),
    weights,
    stages: planned,
    residency,
    loadedBytes: reloadedBytes(weights, residency, idle),
    rowsPerChunk: rowsPerChunk(config, scalar, maxBindingBytes),
    bandRows: bandRows(config.vae, "decode", request.width, scalar, maxBindingBytes)(request.width),
    referenceCacheBytes: stages.at(-1)!.byCategory.referenceCache ?? 0,
    missingBytes: chosen ? 0 : peakBytes - budgetBytes,
  };
}

function withReferences({ stage, bytes, byCategory }: StageMemory, cachedReferenceBytes: number): StageMemory {
  if (cachedReferenceBytes === 0) return { stage, bytes, byCategory };
  const referenceCache = (byCategory.referenceCache ?? 0) + cachedReferenceBytes;
  return { stage, bytes: bytes + cachedReferenceBytes, byCategory: { ...byCategory, referenceCache } };
}

function planStage(
  { stage, bytes, byCategory }: StageMemory,
  resident: readonly WeightPart[],
  weights: PartWeights,
): PlannedStage {
  const categories: CategoryBytes = { ...byCategory };
  for (const part of resident) categories[part] = (categories[part] ?? 0) + weights[part];
  return { stage, resident, peakBytes: bytes + sum(weights, resident), byCategory: categories };
}

function mostOfEach(stages: readonly CategoryBytes[]): CategoryBytes {
  const most: CategoryBytes = {};
  for (const stage of stages)
    for (const [category, bytes] of Object.entries(stage) as [MemoryCategory, number][])
      most[category] = Math.max(most[category] ?? 0, bytes);
  return most;
}
