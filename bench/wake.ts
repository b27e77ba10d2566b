import type { Gpu } from "../runtime/gpu/device.ts";

const WAKE_MS = 1000;

/** Keeps a GPU busy until it has raised its clock, which it lowers to a sixth when idle. A CPU needs no waking. */
export async function wake({ adapter, recorder }: Gpu, work: () => Promise<unknown>): Promise<void> {
  if (adapter.software) return;
  const end = performance.now() + WAKE_MS;
  while (performance.now() < end) {
    await work();
    await recorder.settle();
  }
}
