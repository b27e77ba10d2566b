/** What the adapter is and can do. */
export interface AdapterSummary {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  /** Runs on the CPU. */
  readonly software: boolean;
  readonly f16: boolean;
  readonly subgroups: boolean;
  readonly timestamps: boolean;
  readonly maxBindingBytes: number;
  readonly maxBufferBytes: number;
}

/** Said where there is no adapter, before a download and at loading. */
export const NO_ADAPTER = "WebGPU found no adapter: the GPU or its driver is not supported, or blocked.";

/** What a device on this adapter will have. @param features  those of a device that has not all of them */
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
