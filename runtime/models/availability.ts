import { type BackendOption, DEFAULT_BACKEND } from "../backend/backend.ts";
import { everyOperator } from "../backend/operators.ts";
import { KleinbildError } from "../errors.ts";
import { type AdapterSummary, NO_ADAPTER, summarizeAdapter } from "../gpu/adapter.ts";
import type { ScalarType } from "../gpu/tensor.ts";
import { type MemoryPlan, planMemory } from "../memory-plan/memory-plan.ts";
import type { PlannedRequest } from "../memory-plan/planned-request.ts";
import { defaultQuantization } from "../weights/default-quantization.ts";
import type { Quantization } from "../weights/loader/weight-loader.ts";
import type { ModelConfig } from "../weights/config/model-config.ts";
import type { ModelRecognition, OpenModel } from "../weights/open-model.ts";
import type { StorageReport } from "../weights/store/store-backend.ts";

/** What is to be done with the model. */
export interface AvailabilityOptions {
  /** Default: f16 where the adapter has it. */
  readonly dtype?: ScalarType | undefined;
  /** Default: as the engine's. */
  readonly quantization?: Quantization | undefined;
  /** Default: as the engine's. */
  readonly backend?: BackendOption | undefined;
  /** Most bytes on the GPU at once. Default: no limit. */
  readonly memoryBudgetBytes?: number | undefined;
  /** What differs from one picture of the model's default size without references. */
  readonly request?: Partial<PlannedRequest> | undefined;
}

/** Whether a model can run here, told before anything but its headers is downloaded. */
export interface Availability {
  /** `ready`: nothing is to be downloaded. `downloadable`: `downloadBytes` are. `too-small`: `missing` says what for. */
  readonly status: "ready" | "downloadable" | "too-small";
  /** Sentences for a person. */
  readonly missing: readonly string[];
  readonly model: ModelConfig;
  /** What the files were taken for. */
  readonly recognition: ModelRecognition;
  readonly adapter: AdapterSummary | undefined;
  /** Bytes that are to come: of whole files where the model is kept, else of the tensors that are read. */
  readonly downloadBytes: number;
  /** The id that the store has it under, the bytes that it takes more when all is there, and the most on the way. */
  readonly store: { readonly id: string; readonly bytes: number; readonly peakBytes: number };
  readonly storage: StorageReport | undefined;
  /** What the request takes on the GPU; undefined without an adapter, and on one whose bindings are too small. */
  readonly plan: MemoryPlan | undefined;
}

/** What is known of a model's files. */
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
      plan = planOf(model, adapter, options);
      if (!plan.fits) missing.push(tooLarge(plan));
    } catch (error) {
      if (!(error instanceof KleinbildError) || error.code !== "unsupported") throw error;
      missing.push(error.message);
    }
  if (storage?.freeBytes !== undefined && store.peakBytes > storage.freeBytes)
    missing.push(`The store needs ${store.peakBytes} bytes; ${storage.freeBytes} are free.`);
  const status = missing.length > 0 ? "too-small" : downloadBytes > 0 ? "downloadable" : "ready";
  return { status, missing, model: config, recognition, adapter, downloadBytes, store, storage, plan };
}

function planOf(model: OpenModel, adapter: AdapterSummary, options: AvailabilityOptions): MemoryPlan {
  const backend = options.backend ?? DEFAULT_BACKEND;
  return planMemory(model.config, {
    scalar: options.dtype ?? (adapter.f16 ? "f16" : "f32"),
    quantization: options.quantization ?? defaultQuantization(model),
    // what `auto` will choose is not known yet: onnxruntime takes the most
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
