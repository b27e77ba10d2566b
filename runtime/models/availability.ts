import { type BackendOption, DEFAULT_BACKEND } from "../backend/backend.ts";
import { everyOperator } from "../backend/operators.ts";
import { type AdapterSummary, NO_ADAPTER, summarizeAdapter } from "../gpu/adapter.ts";
import type { ScalarType } from "../gpu/tensor.ts";
import type { MemoryPlan } from "../memory-plan/memory-plan.ts";
import { exceedsBindings, planMemory } from "../memory-plan/memory-planner.ts";
import type { PlannedRequest } from "../memory-plan/planned-request.ts";
import { defaultQuantization } from "../weights/default-quantization.ts";
import type { Quantization } from "../weights/loader/weight-loader.ts";
import type { ModelConfig } from "../weights/config/model-config.ts";
import type { ModelRecognition, OpenModel } from "../weights/open-model.ts";
import type { StorageReport } from "../weights/store/store-backend.ts";

/** How the model would be used. */
export interface AvailabilityOptions {
  /** Scalar type of activations. Default: f16 where the adapter has it. */
  readonly dtype?: ScalarType | undefined;
  /** How block matrices would be stored on the GPU. Default: as in the engine. */
  readonly quantization?: Quantization | undefined;
  /** What would compute the dense layers. Default: as in the engine. */
  readonly backend?: BackendOption | undefined;
  /** Most bytes on the GPU at once. Default: no limit. */
  readonly memoryBudgetBytes?: number | undefined;
  /** The request to plan. Default: one picture of the model's default size without references. */
  readonly request?: Partial<PlannedRequest> | undefined;
}

/** Whether a model can run here. Only its headers are read for it. */
export interface Availability {
  /** `ready`: nothing has to be downloaded. `downloadable`: `downloadBytes` have to. `too-small`: `missing` says why. */
  readonly status: "ready" | "downloadable" | "too-small";
  /** Why the model cannot run, in sentences. Empty when it can. */
  readonly missing: readonly string[];
  /** Shapes and defaults of the model. */
  readonly model: ModelConfig;
  /** How the model's files were recognised. */
  readonly recognition: ModelRecognition;
  /** The GPU adapter. Undefined if there is none. */
  readonly adapter: AdapterSummary | undefined;
  /** Bytes to download: whole files for a model that will be kept, else the tensors that are read. */
  readonly downloadBytes: number;
  /** The model in the store, if it will be kept there. */
  readonly store: StoreNeeds;
  /** Room of the store. Undefined if there is no store. */
  readonly storage: StorageReport | undefined;
  /** GPU memory of the request. Undefined without an adapter, and where the adapter's bindings are too small. */
  readonly plan: MemoryPlan | undefined;
}

/** What a model needs in the store. */
export interface StoreNeeds {
  /** Its id there. */
  readonly id: string;
  /** Bytes that the rest of the model will take. */
  readonly bytes: number;
  /** Most bytes that the rest takes during the download. */
  readonly peakBytes: number;
}

/** How far a model is downloaded, and the room for the rest. */
export interface StoredState {
  readonly downloadBytes: number;
  readonly store: Availability["store"];
  readonly storage: StorageReport | undefined;
}

/** Judges a model whose headers were read. */
export async function judgeAvailability(
  model: OpenModel,
  { downloadBytes, store, storage }: StoredState,
  gpu: GPU | undefined,
  options: AvailabilityOptions,
): Promise<Availability> {
  const { config, recognition } = model;
  const missing: string[] = [];
  const found = await gpu?.requestAdapter({ powerPreference: "high-performance" });
  const adapter = found ? summarizeAdapter(found) : undefined;
  let plan: MemoryPlan | undefined;
  if (!adapter) missing.push(NO_ADAPTER);
  else if (options.dtype === "f16" && !adapter.f16) missing.push("The adapter has no f16 (WebGPU's shader-f16).");
  if (adapter)
    try {
      plan = await planOf(model, adapter, options);
      if (!plan.fits) missing.push(tooLarge(plan));
    } catch (error) {
      if (!exceedsBindings(error)) throw error;
      missing.push(error.message);
    }
  if (storage?.freeBytes !== undefined && store.peakBytes > storage.freeBytes)
    missing.push(`The store needs ${store.peakBytes} bytes; ${storage.freeBytes} are free.`);
  const status = missing.length > 0 ? "too-small" : downloadBytes > 0 ? "downloadable" : "ready";
  return { status, missing, model: config, recognition, adapter, downloadBytes, store, storage, plan };
}

function planOf(model: OpenModel, adapter: AdapterSummary, options: AvailabilityOptions): Promise<MemoryPlan> {
  const backend = options.backend ?? DEFAULT_BACKEND;
  return planMemory(model.config, {
    scalar: options.dtype ?? (adapter.f16 ? "f16" : "f32"),
    quantization: options.quantization ?? defaultQuantization(model),
    // the choice of `auto` is not known yet: onnxruntime takes the most memory
    backends: everyOperator(backend === "auto" ? "ort" : backend),
    maxBindingBytes: adapter.maxBindingBytes,
    budgetBytes: options.memoryBudgetBytes,
    request: options.request,
  });
}

function tooLarge({ peakBytes, missingBytes, nearest }: MemoryPlan): string {
  const advice = nearest ? `; ${nearest.width} x ${nearest.height} fits` : "; no smaller size fits either";
  return `The request needs ${peakBytes} bytes on the GPU, ${missingBytes} more than the budget${advice}.`;
}
