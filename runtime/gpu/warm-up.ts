import type { GpuMemory } from "./memory.ts";
import type { PipelineCache, PipelineVariant } from "./pipelines.ts";

/** Room for whatever a workgroup reads or writes when all its parameters are 0. */
const DUMMY_BYTES = 256;
const DUMMY_USAGE = 0x80 | 0x40; // STORAGE | UNIFORM

/** What a warm-up works on. */
interface Warmed {
  readonly device: GPUDevice;
  readonly memory: GpuMemory;
  readonly pipelines: PipelineCache;
}

/**
 * Compiles variants, and runs one workgroup of each on nothing (all parameters 0), since drivers may put the work off until a
 * pipeline is used: lavapipe takes 30 ms to create one, and seconds to use it. An abort ends it before the next one.
 */
export async function warmUp(
  { device, memory, pipelines }: Warmed,
  variants: readonly PipelineVariant[],
  signal?: AbortSignal,
): Promise<void> {
  const compiled = await unheard(device, () => pipelines.prepare(variants));
  if (signal?.aborted) return;
  const most = Math.max(0, ...compiled.map(({ kernel }) => Object.keys(kernel.bindings).length));
  // one for each binding, since what is written must not be bound twice; the last is the parameters'
  const buffers = Array.from({ length: most + 1 }, () =>
    memory.allocate("transfer", "warm-up", DUMMY_BYTES, DUMMY_USAGE),
  );
  try {
    for (const { kernel, pipeline } of compiled) {
      if (signal?.aborted) return;
      const bound = [...buffers.slice(0, Object.keys(kernel.bindings).length), buffers[most]!];
      const entries = bound.map((buffer, binding) => ({ binding, resource: { buffer } }));
      await unheard(device, async () => {
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
 * Keeps validation errors of `work` from the scopes of others, who call the device meanwhile: whoever uses a pipeline that is
 * wrong is told then. All of its calls come before its first wait.
 */
async function unheard<T>(device: GPUDevice, work: () => Promise<T>): Promise<T> {
  device.pushErrorScope("validation");
  const result = work();
  const [value] = await Promise.all([result, device.popErrorScope()]);
  return value;
}
