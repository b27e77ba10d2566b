/**
 * A GPU whose devices are lost on command: drivers cannot be made to fail at will, and a device that is destroyed does
 * not count as lost.
 */
export function lossyGpu(gpu: GPU): {
  readonly gpu: GPU;
  readonly lose: (info: Pick<GPUDeviceLostInfo, "reason" | "message">) => void;
} {
  let lose: (info: GPUDeviceLostInfo) => void = () => undefined;
  const lost = new Promise<GPUDeviceLostInfo>((resolve) => (lose = resolve));
  const requestAdapter = async (options?: GPURequestAdapterOptions): Promise<GPUAdapter | null> => {
    const adapter = await gpu.requestAdapter(options);
    if (!adapter) return null;
    const requestDevice = adapter.requestDevice.bind(adapter);
    adapter.requestDevice = async (descriptor) =>
      Object.defineProperty(await requestDevice(descriptor), "lost", { value: lost });
    return adapter;
  };
  return {
    gpu: { requestAdapter } as GPU,
    lose: (info) => lose(info as GPUDeviceLostInfo),
  };
}
