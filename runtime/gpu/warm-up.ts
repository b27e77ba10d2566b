import type { GpuMemory } from "./memory.ts";
import type { PipelineCache, PipelineVariant } from "./pipelines.ts";

/** Large enough for all reads and writes of a workgroup whose parameters are 0. */
const DUMMY_BYTES = 256;
const DUMMY_USAGE = 0x80 | 0x40; // STORAGE | UNIFORM

/** The parts of `Gpu` that a warm-up uses. */
interface WarmUpTarget {
  readonly device: GPUDevice;
  readonly memory: GpuMemory;
  readonly pipelines: PipelineCache;
}

/**
 * Compiles variants, and runs one workgroup of each with all parameters 0: drivers may postpone the compilation until a
 * pipeline is used. lavapipe takes 30 ms to create one, and seconds to use it. An abort takes effect before the next variant.
 */
export async function warmUp(
  { device, memory, pipelines }: WarmUpTarget,
  variants: readonly PipelineVariant[],
  signal?: AbortSignal,
): Promise<void> {
  const compiled = await withoutErrors(device, () => pipelines.prepare(variants));
  if (signal?.aborted) return;
  const most = Math.max(0, ...compiled.map(({ kernel }) => Object.keys(kernel.bindings).length));
  // one for each binding, since a written buffer must not be bound twice; the last is for the parameters
  const buffers = Array.from({ length: most + 1 }, () =>
    memory.allocate("transfer", "warm-up", DUMMY_BYTES, DUMMY_USAGE),
  );
  try {
    for (const { kernel, pipeline } of compiled) {
      if (signal?.aborted) return;
      const bound = [...buffers.slice(0, Object.keys(kernel.bindings).length), buffers[most]!];
      const entries = bound.map((buffer, binding) => ({ binding, resource: { buffer } }));
      await withoutErrors(device, async () => {
        const layout = pipeline.getBindGroupLayout(0);
        const encoder = device.createCommandEncoder({ label: "warm-up" });
        const pass = encoder.beginComputePass({ label: "warm-up" });
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, device.createBindGroup({ label: kernel.name, layout, entries }));
        pass.dispatchWorkgroups(1);
        pass.end();
        device.queue.submit([encoder.finish()]);
        await device.queue.onSubmittedWorkDone();
      });
    }
  } finally {
    for (const buffer of buffers) memory.free(buffer);
  }
}

/**
 * Keeps validation errors of `work` out of the error scopes of a stage that runs at the same time. An invalid pipeline fails
 * when a stage uses it. `work` must make all its calls to the device before its first await.
 */
async function withoutErrors<T>(device: GPUDevice, work: () => Promise<T>): Promise<T> {
  device.pushErrorScope("validation");
  const result = work();
  const [value] = await Promise.all([result, device.popErrorScope()]);
  return value;
}
