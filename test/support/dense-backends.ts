import { afterAll } from "vitest";
import type { BackendName, DenseBackend } from "../../runtime/backend/backend.ts";
import { createBackend } from "../../runtime/backend/create-backend.ts";
import type { KernelLayout } from "../../runtime/backend/matrix.ts";
import type { Gpu } from "../../runtime/gpu/device.ts";
import type { ScalarType, Tensor } from "../../runtime/gpu/tensor.ts";
import { upload } from "./gpu.ts";

/** One backend for a test file's device, created when it is first asked for. */
export function useBackend(name: BackendName, gpu: () => Gpu, scalar: ScalarType): () => Promise<DenseBackend> {
  let created: Promise<DenseBackend> | undefined;
  afterAll(async () => (await created)?.dispose());
  return () => (created ??= createBackend(name, gpu(), scalar));
}

/** A convolution's weight [out, in, size, size] in a backend's layout. */
export function uploadKernel(
  gpu: Gpu,
  layout: KernelLayout,
  scalar: ScalarType,
  [out, inputs, height, width]: readonly [number, number, number, number],
  values: ArrayLike<number>,
): Tensor {
  if (layout === "oihw") return upload(gpu, scalar, [out, inputs, height, width], values);
  const padded = Math.ceil(inputs / 4) * 4;
  const taps = height * width;
  const moved = new Float32Array(out * taps * padded);
  for (let o = 0; o < out; o++)
    for (let i = 0; i < inputs; i++)
      for (let tap = 0; tap < taps; tap++)
        moved[(o * taps + tap) * padded + i] = values[(o * inputs + i) * taps + tap]!;
  return upload(gpu, scalar, [out, height, width, padded], moved);
}
