import { KleinbildError } from "../errors.ts";
import type { BackendsByOperator } from "../backend/operators.ts";
import type { MemoryCategory } from "../gpu/memory.ts";
import type { ScalarType } from "../gpu/tensor.ts";
import { bandRows } from "../vae/bands.ts";
import type { WeightPart } from "../weights/inventory.ts";
import type { Quantization } from "../weights/loader/weight-loader.ts";
import type { ModelConfig } from "../weights/config/model-config.ts";
import type { PartBytes } from "./ledger.ts";
import { nearestFitting } from "./nearest-size.ts";
import type { PlanSetup } from "./plan-context.ts";
import { chooseResidency, leastResidency, reloadedBytes, sum } from "./residency.ts";
import { rowsPerChunk } from "../loaded-model/rows-per-chunk.ts";
import type { PlannedRequest } from "./planned-request.ts";
import { planStages, type StageMemory } from "./run-stages.ts";
import type { Residency, Stage } from "../pipeline/stages.ts";
import type { Size } from "./vae-pass.ts";
import { type PartWeights, weightBytes } from "./weight-bytes.ts";

export interface PlanOptions {
  readonly scalar: ScalarType;
  readonly quantization: Quantization;
  readonly backends: BackendsByOperator;
  readonly maxBindingBytes: number;
  /** Most bytes on the GPU at once; unlimited unless given. */
  readonly budgetBytes?: number | undefined;
  /** Bytes of kept keys and values that this request does not use. */
  readonly keptReferenceBytes?: number | undefined;
  /** What differs from one picture of the model's default size without references. */
  readonly request?: Partial<PlannedRequest> | undefined;
}

/** A stage of a run with the weights that are there. */
export interface PlannedStage {
  readonly stage: Stage;
  readonly resident: readonly WeightPart[];
  readonly peakBytes: number;
  readonly byCategory: Readonly<PartBytes>;
}

/** What a run takes on the GPU; nothing that is measured is above it. */
export interface MemoryPlan {
  readonly fits: boolean;
  /** Of all stages. */
  readonly peakBytes: number;
  /** The most of each part in any stage. */
  readonly byCategory: Readonly<PartBytes>;
  /** Bytes of the weights by part. */
  readonly weights: PartWeights;
  readonly stages: readonly PlannedStage[];
  readonly residency: Residency;
  /** Bytes of weights that each of several runs in a row loads again. */
  readonly loadedBytes: number;
  /** Rows of a token stream that go through dense operators at once. */
  readonly rowsPerChunk: number;
  /** Rows of the picture that the autoencoder's last maps are cut into. */
  readonly bandRows: number;
  /** Keys and values of the references that this request keeps. */
  readonly referenceCacheBytes: number;
  /** Bytes above the budget in the stage that is furthest above it; 0 when it fits. */
  readonly missingBytes: number;
  /** The largest smaller size of the same shape that fits. Absent when this one does, or none. */
  readonly nearest?: Size;
}

/**
 * The memory of a run, computed from configs alone.
 * @throws KleinbildError `unsupported` when the adapter's bindings are too small for the model or the picture's width
 */
export function planMemory(config: ModelConfig, options: PlanOptions): MemoryPlan {
  const { scalar, quantization, backends, maxBindingBytes, budgetBytes = Infinity, keptReferenceBytes = 0 } = options;
  const chunk = rowsPerChunk(config, scalar, maxBindingBytes);
  const setup = { config, scalar, quantization, backends, maxBindingBytes, rowsPerChunk: chunk };
  const request = completeRequest(config, options.request);
  const plan = planRun(setup, request, budgetBytes, keptReferenceBytes);
  if (plan.fits) return plan;
  const nearest = nearestFitting(request, (size) => {
    try {
      return planRun(setup, { ...request, ...size }, budgetBytes, keptReferenceBytes).fits;
    } catch (error) {
      if (error instanceof KleinbildError && error.code === "unsupported") return false;
      throw error;
    }
  });
  return nearest ? { ...plan, nearest } : plan;
}

/** The request with the defaults of the model. */
function completeRequest(config: ModelConfig, request: Partial<PlannedRequest> = {}): PlannedRequest {
  return {
    width: config.defaultSize,
    height: config.defaultSize,
    references: [],
    referenceMode: config.referenceAttention === "isolated" ? "exact" : "recompute",
    guidance: config.defaultGuidance !== null,
    previews: true,
    pictures: 1,
    evaluations: config.defaultSteps,
    solverRegisters: 0,
    stepCache: "none",
    phases: 1,
    loraBytes: 0,
    loraRank: 0,
    ...request,
  };
}

function planRun(
  setup: PlanSetup,
  request: PlannedRequest,
  budgetBytes: number,
  keptReferenceBytes: number,
): MemoryPlan {
  const { config, scalar, maxBindingBytes } = setup;
  const weights = weightBytes(setup);
  const memory = planStages(setup, request, keptReferenceBytes);
  const idle = new Set<Stage>(request.references.length > 0 || request.previews ? [] : ["encode"]);
  const chosen = chooseResidency(weights, memory, budgetBytes, idle);
  const residency = chosen ?? leastResidency(idle);
  const stages = memory.map((stage) => planStage(stage, residency[stage.stage], weights));
  const peakBytes = Math.max(...stages.map((stage) => stage.peakBytes));
  return {
    fits: chosen !== undefined,
    peakBytes,
    byCategory: mostOfEach(stages.map(({ byCategory }) => byCategory)),
    weights,
    stages,
    residency,
    loadedBytes: reloadedBytes(weights, residency, idle),
    rowsPerChunk: setup.rowsPerChunk,
    bandRows: bandRows(config.vae, "decode", request.width, scalar, maxBindingBytes)(request.width),
    referenceCacheBytes: (memory.at(-1)!.byCategory.referenceCache ?? 0) - keptReferenceBytes,
    missingBytes: chosen ? 0 : peakBytes - budgetBytes,
  };
}

function planStage(
  { stage, bytes, byCategory }: StageMemory,
  resident: readonly WeightPart[],
  weights: PartWeights,
): PlannedStage {
  const parts: PartBytes = { ...byCategory };
  for (const part of resident) parts[part] = (parts[part] ?? 0) + weights[part];
  return { stage, resident, peakBytes: bytes + sum(weights, resident), byCategory: parts };
}

function mostOfEach(stages: readonly PartBytes[]): PartBytes {
  const most: PartBytes = {};
  for (const stage of stages)
    for (const [part, bytes] of Object.entries(stage) as [MemoryCategory, number][])
      most[part] = Math.max(most[part] ?? 0, bytes);
  return most;
}
