import { GpuMemory } from "../../runtime/gpu/memory.ts";

/** The engine's allocator over a device that only counts: for tests of who owns what. */
export function fakeMemory(): GpuMemory {
  const device = {
    limits: { maxBufferSize: 2 ** 31 },
    createBuffer: ({ size }: GPUBufferDescriptor) => ({ size, destroy: () => undefined }),
  };
  return new GpuMemory(device as unknown as GPUDevice, 2 ** 27);
}
