/** What happens on the devices of a GPU, seen from outside the engine. */
export interface GpuWatch {
  readonly gpu: GPU;
  /** Buffers created and not destroyed. */
  liveBuffers(): number;
  /** Labels of pipelines that were compiled at their first use, not before. */
  readonly compiledOnUse: readonly string[];
  /** Called at each submission. */
  onSubmit: () => void;
}

/** Wraps a GPU so that buffers are counted and submissions seen. */
export function watchGpu(gpu: GPU): GpuWatch {
  const live = new Set<GPUBuffer>();
  const compiledOnUse: string[] = [];
  const watch: { -readonly [K in keyof GpuWatch]: GpuWatch[K] } = {
    gpu: Object.create(gpu, {
      requestAdapter: {
        value: async (options?: GPURequestAdapterOptions) => {
          const adapter = await gpu.requestAdapter(options);
          if (!adapter) return null;
          const requestDevice = adapter.requestDevice.bind(adapter);
          adapter.requestDevice = async (descriptor) => watchDevice(await requestDevice(descriptor));
          return adapter;
        },
      },
    }) as GPU,
    liveBuffers: () => live.size,
    compiledOnUse,
    onSubmit: () => {},
  };

  function watchDevice(device: GPUDevice): GPUDevice {
    const createBuffer = device.createBuffer.bind(device);
    device.createBuffer = (descriptor) => {
      const buffer = createBuffer(descriptor);
      live.add(buffer);
      const destroy = buffer.destroy.bind(buffer);
      buffer.destroy = () => {
        live.delete(buffer);
        return destroy();
      };
      return buffer;
    };
    const createComputePipeline = device.createComputePipeline.bind(device);
    device.createComputePipeline = (descriptor) => {
      compiledOnUse.push(descriptor.label ?? "unnamed");
      return createComputePipeline(descriptor);
    };
    const submit = device.queue.submit.bind(device.queue);
    device.queue.submit = (commands) => {
      watch.onSubmit();
      return submit(commands);
    };
    return device;
  }
  return watch;
}
