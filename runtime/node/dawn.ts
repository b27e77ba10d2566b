import { KleinbildError } from "../errors.ts";
import { announceGpu, copySharedWrites, slowPolling } from "../gpu/workarounds.ts";

/** Never collected: Dawn ends the process when its instance is collected before its devices. */
let instance: GPU | undefined;

/**
 * WebGPU in Node, from the package `webgpu` (Dawn).
 * @throws KleinbildError `no-webgpu` when the package or its native library cannot be loaded.
 */
export async function dawnGpu(): Promise<GPU> {
  if (instance) return instance;
  try {
    const { create, globals } = await import("webgpu");
    Object.assign(globalThis, globals);
    const gpu: GPU = create([]);
    const onSubmit = slowPolling();
    const requestAdapter = gpu.requestAdapter.bind(gpu);
    gpu.requestAdapter = async (options) => {
      const adapter = await requestAdapter(options);
      if (!adapter) return null;
      const requestDevice = adapter.requestDevice.bind(adapter);
      adapter.requestDevice = async (descriptor) => {
        const device = await requestDevice(descriptor);
        copySharedWrites(device);
        const { queue } = device;
        const submit = queue.submit.bind(queue);
        queue.submit = (commands) => {
          onSubmit();
          return submit(commands);
        };
        return device;
      };
      return adapter;
    };
    announceGpu(gpu);
    instance = gpu;
    return gpu;
  } catch (cause) {
    throw new KleinbildError(
      "no-webgpu",
      "WebGPU in Node needs the package `webgpu` and a Vulkan, Metal or Direct3D 12 driver; it could not be loaded.",
      {},
      { cause },
    );
  }
}
