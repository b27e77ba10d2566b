/** What the adapter is and can do. */
export interface AdapterSummary {
  readonly vendor: string;
  readonly architecture: string;
  readonly description: string;
  readonly f16: boolean;
  readonly subgroups: boolean;
  readonly timestamps: boolean;
  readonly maxBindingBytes: number;
  readonly maxBufferBytes: number;
}

/** What a device on this adapter will have. */
export function summarizeAdapter({ info, features, limits }: GPUAdapter): AdapterSummary {
  return {
    vendor: info.vendor,
    architecture: info.architecture,
    description: info.description,
    f16: features.has("shader-f16"),
    subgroups: features.has("subgroups"),
    timestamps: features.has("timestamp-query"),
    maxBindingBytes: limits.maxStorageBufferBindingSize,
    maxBufferBytes: limits.maxBufferSize,
  };
}
