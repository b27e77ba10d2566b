import type { AdapterSummary } from "./adapter.ts";
import type { GpuMemory } from "./memory.ts";
import type { PipelineCache } from "./pipelines.ts";
import { Recorder } from "./recorder.ts";
import { WorkMeter } from "./work-meter.ts";

/**
 * A device that does nothing, with the limits of a real one: a buffer is only a size, reads give zeros, and pipelines are not
 * compiled. The engine's code runs on it unchanged, so a dry run shows which pipelines and how much memory a run needs.
 */
export function createNullDevice({ limits }: Pick<GPUDevice, "limits">): GPUDevice {
  const nothing = (): void => {};
  const pass = { setPipeline: nothing, setBindGroup: nothing, dispatchWorkgroups: nothing, end: nothing };
  const encoder = {
    beginComputePass: () => pass,
    copyBufferToBuffer: nothing,
    clearBuffer: nothing,
    finish: () => encoder,
  };
  const pipeline = { getBindGroupLayout: nothing };
  const device = {
    limits,
    features: new Set<string>(),
    lost: new Promise<never>(nothing),
    queue: { writeBuffer: nothing, submit: nothing, onSubmittedWorkDone: async () => undefined },
    createBuffer: ({ size }: GPUBufferDescriptor) => new NullBuffer(size),
    createShaderModule: nothing,
    createComputePipeline: () => pipeline,
    createBindGroup: nothing,
    createCommandEncoder: () => encoder,
    pushErrorScope: nothing,
    popErrorScope: async () => null,
    destroy: nothing,
  };
  return device as unknown as GPUDevice;
}

class NullBuffer {
  readonly size: number;

  constructor(size: number) {
    this.size = size;
  }

  async mapAsync(): Promise<undefined> {}

  getMappedRange(): ArrayBuffer {
    return new ArrayBuffer(this.size);
  }

  unmap(): void {}

  destroy(): void {}
}

/** Limits of the null device where there is no real one: a buffer may have any size. */
export const NO_LIMITS = { maxBufferSize: Infinity } as GPUSupportedLimits;

/** The adapter of the null device where there is no real one. It has f16, so that both scalar types can be planned. */
export function nullAdapter(maxBindingBytes: number): AdapterSummary {
  return {
    vendor: "",
    architecture: "",
    device: "",
    description: "null device",
    software: false,
    f16: true,
    subgroups: false,
    timestamps: false,
    maxBindingBytes,
    maxBufferBytes: Infinity,
  };
}

/** A recorder without dispatches, for dry runs of memory alone: no kernel allocates, so none is recorded. */
export class NullRecorder extends Recorder {
  constructor(device: GPUDevice, memory: GpuMemory, pipelines: PipelineCache) {
    super(device, memory, pipelines, new WorkMeter(device.queue, Infinity)); // nothing is split
  }

  override dispatch(): void {}

  override write(): void {}
}
