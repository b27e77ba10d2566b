/**
 * A device that does nothing, with the limits of a real one: what is allocated is only a size, what is read is zeros, and
 * pipelines are only asked for. The engine's code runs on it as it is, to tell what it will need.
 */
export function createNullDevice({ limits }: Pick<GPUDevice, "limits">): GPUDevice {
  const nothing = (): void => {};
  const pass = { setPipeline: nothing, setBindGroup: nothing, dispatchWorkgroups: nothing, end: nothing };
  const encoder = {
    beginComputePass: () => pass,
    copyBufferToBuffer: nothing,
    clearBuffer: nothing,
    finish: () => ({}),
  };
  const device = {
    limits,
    features: new Set<string>(),
    lost: new Promise<never>(nothing),
    queue: { writeBuffer: nothing, submit: nothing, onSubmittedWorkDone: async () => undefined },
    createBuffer: ({ size }: GPUBufferDescriptor) => ({
      size,
      mapAsync: async () => undefined,
      getMappedRange: () => new ArrayBuffer(size),
      unmap: nothing,
      destroy: nothing,
    }),
    createShaderModule: () => ({}),
    createComputePipeline: () => ({ getBindGroupLayout: () => ({}) }),
    createBindGroup: () => ({}),
    createCommandEncoder: () => encoder,
    pushErrorScope: nothing,
    popErrorScope: async () => null,
    destroy: nothing,
  };
  return device as unknown as GPUDevice;
}
