import * as v from "valibot";
import { BACKEND_OPTIONS, type BackendOption } from "../backend/backend.ts";
import { GPU_FEATURES, type GpuFeature } from "../gpu/device.ts";
import type { ScalarType } from "../gpu/tensor.ts";
import type { Quantization } from "../weights/loader/weight-loader.ts";
import { choice, custom, flag } from "../validation/field-kinds.ts";
import { parse } from "../validation/parse.ts";
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

const GPU_FEATURE_NAMES: readonly unknown[] = GPU_FEATURES;
const count = custom<number>((value) => Number.isSafeInteger(value) && (value as number) >= 0, {
  expected: "a whole number",
});

const OPTIONS = v.strictObject({
  dtype: v.optional(choice(["f32", "f16"])),
  quantization: v.optional(choice(["none", "q8", "q4"])),
  quantizationMethod: v.optional(choice(["rtn", "mse"])),
  backend: v.optional(choice(BACKEND_OPTIONS)),
  powerPreference: v.optional(choice(["low-power", "high-performance"])),
  referenceCacheBytes: v.optional(count),
  memoryBudgetBytes: v.optional(count),
  maxBindingBytes: v.optional(count),
  maxWorkgroupBytes: v.optional(count),
  maxInvocations: v.optional(count),
  withoutFeatures: v.optional(
    custom<readonly GpuFeature[]>(
      (value) => Array.isArray(value) && value.every((feature) => GPU_FEATURE_NAMES.includes(feature)),
      { expected: `a list of ${GPU_FEATURES.join(", ")}` },
    ),
  ),
  warmUp: v.optional(flag()),
} satisfies Record<keyof EngineOptions, v.GenericSchema>);

/** @throws KleinbildError `invalid-request` with the option as `parameter`, also for options that do not exist */
export function checkEngineOptions(options: EngineOptions): void {
  parse(OPTIONS, options, { what: "An engine", member: "option" });
}
