/** The GPU adapter, and what it supports. */
export interface AdapterSummary {
  /** `GPUAdapterInfo.vendor`, for example `nvidia`. */
  readonly vendor: string;
  /** `GPUAdapterInfo.architecture`, for example `hopper`. */
  readonly architecture: string;
  /** `GPUAdapterInfo.device`; empty in most browsers. */
  readonly device: string;
  /** `GPUAdapterInfo.description`; empty in most browsers. */
  readonly description: string;
  /** Whether it runs on the CPU (lavapipe, SwiftShader). */
  readonly software: boolean;
  /** Whether shaders can use 16-bit floats. */
  readonly f16: boolean;
  /** Whether shaders can use subgroup operations. */
  readonly subgroups: boolean;
  /** Whether stages can be timed on the GPU. */
  readonly timestamps: boolean;
  /** Largest storage buffer binding, in bytes. */
  readonly maxBindingBytes: number;
  /** Largest buffer, in bytes. */
  readonly maxBufferBytes: number;
}

/** Message without an adapter, before a download and at loading. */
export const NO_ADAPTER = "WebGPU found no adapter: the GPU or its driver is not supported, or blocked.";

/** Describes an adapter. @param features  the features of a device that leaves some of them out */
export function summarizeAdapter(
  { info, features: all, limits }: GPUAdapter,
  features: GPUSupportedFeatures = all,
): AdapterSummary {
  return {
    vendor: info.vendor,
    architecture: info.architecture,
    device: info.device,
    description: info.description,
    software: info.isFallbackAdapter || /llvmpipe|swiftshader/i.test(`${info.architecture} ${info.description}`),
    f16: features.has("shader-f16"),
    subgroups: features.has("subgroups"),
    timestamps: features.has("timestamp-query"),
    maxBindingBytes: limits.maxStorageBufferBindingSize,
    maxBufferBytes: limits.maxBufferSize,
  };
}
