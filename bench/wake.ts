import type { Gpu } from "../runtime/gpu/device.ts";

const WAKE_MS = 1000;

/** Keeps a GPU busy until its clock has risen. An idle GPU may run at a sixth of its clock; a CPU does not need this. */
export async function wake({ adapter, recorder }: Gpu, work: () => Promise<unknown>): Promise<void> {
  if (adapter.software) return;
  const end = performance.now() + WAKE_MS;
  while (performance.now() < end) {
    await work();
    await recorder.settle();
  }
}
