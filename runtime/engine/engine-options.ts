import * as v from "valibot";
import { BACKEND_OPTIONS, type BackendOption } from "../backend/backend.ts";
import { GPU_FEATURES, type GpuFeature } from "../gpu/device.ts";
import type { ScalarType } from "../gpu/tensor.ts";
import type { Quantization } from "../weights/loader/weight-loader.ts";
import { choice, custom, flag } from "../validation/field-kinds.ts";
import { parse } from "../validation/parse.ts";
import type { QuantizationMethod } from "../weights/quantize.ts";

/** How the engine computes. All options have defaults that suit the adapter and the model. */
export interface EngineOptions {
  /** Scalar type of branch activations and 16-bit weights. Default: f16 if the adapter supports it, otherwise f32. */
  readonly dtype?: ScalarType | undefined;
  /**
   * Storage of block matrices: in the scalar type (`none`), or in blocks of 8 or 4 bits. Default: as most of them are in the
   * files, or 8 bits for files with a quantization that the kernels do not read.
   */
  readonly quantization?: Quantization | undefined;
  /** How the scales of quantized matrices are chosen. Default: `mse`, by the least squared error. */
  readonly quantizationMethod?: QuantizationMethod | undefined;
  /**
   * Implementation of the dense layers: onnxruntime-web (`ort`), the package's own kernels (`wgsl`), or the fastest one for
   * each kind of layer (`auto`). The first start on an adapter measures them for about a second and stores the result.
   * Default: `auto`.
   */
  readonly backend?: BackendOption | undefined;
  /** Most bytes of cached reference keys and values. Default: 1 GiB. */
  readonly referenceCacheBytes?: number | undefined;
  /**
   * Most bytes on the GPU at once. If the budget requires it, parts of the model are loaded only for their stage of a run. A
   * request that does not fit is refused with `over-budget`. Default: no limit.
   */
  readonly memoryBudgetBytes?: number | undefined;
  /** The adapter to prefer, as for `GPU.requestAdapter`. Default: `high-performance`. */
  readonly powerPreference?: "low-power" | "high-performance" | undefined;
  /** Compile the kernels of pictures and edits while the weights load. False: at their first use. Default: true. */
  readonly warmUp?: boolean | undefined;
  /** Largest buffer binding, in bytes. For tests. Default: the adapter's limit. */
  readonly maxBindingBytes?: number | undefined;
  /** Features that the engine must not use, for tests and faulty drivers. Default: none. */
  readonly withoutFeatures?: readonly GpuFeature[] | undefined;
  /** Most workgroup memory, in bytes. WebGPU always gives 16 KiB. Default: the adapter's limit. */
  readonly maxWorkgroupBytes?: number | undefined;
  /** Most invocations in a workgroup. WebGPU always gives 256. Default: the adapter's limit. */
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
