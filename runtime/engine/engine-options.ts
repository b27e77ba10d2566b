import { BACKEND_OPTIONS, type BackendOption } from "../backend/backend.ts";
import { KleinbildError } from "../errors.ts";
import { GPU_FEATURES, type GpuFeature } from "../gpu/device.ts";
import type { ScalarType } from "../gpu/tensor.ts";
import type { Quantization } from "../weights/loader/weight-loader.ts";
import type { QuantizationMethod } from "../weights/quantize.ts";

/** How the engine computes; all of it can be left to the engine. */
export interface EngineOptions {
  /** Scalar type of branch activations and 16-bit weights. Default: f16 where the adapter has it. */
  readonly dtype?: ScalarType | undefined;
  /**
   * Block matrices in 16 bits or f32 (`none`), or in blocks of 8 or 4 bits. Default: as most of them are in the files, 8 bits
   * for files that are quantized in a way that the kernels do not read.
   */
  readonly quantization?: Quantization | undefined;
  /** How the scales of quantized matrices are chosen. Default: `mse`, by the least squared error. */
  readonly quantizationMethod?: QuantizationMethod | undefined;
  /**
   * What computes the dense layers: onnxruntime-web (`ort`), the project's own kernels (`wgsl`), or, for each kind of layer,
   * what is fastest on this adapter, found by a trial of about a second and remembered. Default: `auto`.
   */
  readonly backend?: BackendOption | undefined;
  /** Bytes of kept reference keys and values. Default: 1 GiB. */
  readonly referenceCacheBytes?: number | undefined;
  /**
   * Most bytes on the GPU at once. Parts of the model are there only for their stage of a run where the budget wants it, and
   * a request that does not fit is refused as `over-budget`. Default: no limit.
   */
  readonly memoryBudgetBytes?: number | undefined;
  readonly powerPreference?: "low-power" | "high-performance" | undefined;
  /** Compile what pictures and edits take while the weights load, or each kernel when it is first used. Default: true. */
  readonly warmUp?: boolean | undefined;
  /** No binding is larger: for tests of the cutting. */
  readonly maxBindingBytes?: number | undefined;
  /** What the adapter has and the engine must not use: for tests, and for drivers that are wrong about it. */
  readonly withoutFeatures?: readonly GpuFeature[] | undefined;
  /** No more workgroup memory than this; WebGPU gives 16 KiB at least. */
  readonly maxWorkgroupBytes?: number | undefined;
  /** No more invocations in a workgroup than this; WebGPU gives 256 at least. */
  readonly maxInvocations?: number | undefined;
}

const CHOICES = {
  dtype: ["f32", "f16"],
  quantization: ["none", "q8", "q4"],
  quantizationMethod: ["rtn", "mse"],
  backend: BACKEND_OPTIONS,
  powerPreference: ["low-power", "high-performance"],
} as const satisfies Partial<Record<keyof EngineOptions, readonly string[]>>;
const FEATURES = "withoutFeatures" satisfies keyof EngineOptions;
const WARM_UP = "warmUp" satisfies keyof EngineOptions;
const COUNTS = [
  "referenceCacheBytes",
  "memoryBudgetBytes",
  "maxBindingBytes",
  "maxWorkgroupBytes",
  "maxInvocations",
] as const satisfies readonly (keyof EngineOptions)[];

/** @throws KleinbildError `invalid-request` that names the option, unknown ones included */
export function checkEngineOptions(options: EngineOptions): void {
  for (const [parameter, value] of Object.entries(options) as [string, unknown][]) {
    if (value === undefined) continue;
    const choices: readonly string[] | undefined = Object.hasOwn(CHOICES, parameter)
      ? CHOICES[parameter as keyof typeof CHOICES]
      : undefined;
    if (choices && !choices.includes(value as string))
      throw invalid(parameter, `${parameter} must be one of ${choices.join(", ")}; got ${JSON.stringify(value)}.`);
    const isCount = (COUNTS as readonly string[]).includes(parameter);
    if (isCount && !(Number.isSafeInteger(value) && (value as number) >= 0))
      throw invalid(parameter, `${parameter} must be a whole number; got ${JSON.stringify(value)}.`);
    if (parameter === FEATURES) checkFeatures(value);
    else if (parameter === WARM_UP) {
      if (typeof value !== "boolean")
        throw invalid(parameter, `${parameter} must be true or false; got ${JSON.stringify(value)}.`);
    } else if (!choices && !isCount)
      throw invalid(
        parameter,
        `There is no option ${parameter}; there are ${[...Object.keys(CHOICES), ...COUNTS, FEATURES, WARM_UP].join(", ")}.`,
      );
  }
}

function checkFeatures(value: unknown): void {
  const known: readonly unknown[] = GPU_FEATURES;
  if (Array.isArray(value) && value.every((feature) => known.includes(feature))) return;
  throw invalid(FEATURES, `${FEATURES} must be a list of ${GPU_FEATURES.join(", ")}; got ${JSON.stringify(value)}.`);
}

function invalid(parameter: string, message: string): KleinbildError {
  return new KleinbildError("invalid-request", message, { parameter });
}
