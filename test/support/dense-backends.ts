import { afterAll } from "vitest";
import type { BackendName, DenseBackend } from "../../runtime/backend/backend.ts";
import { createBackend } from "../../runtime/backend/create-backend.ts";
import type { Gpu } from "../../runtime/gpu/device.ts";
import type { ScalarType } from "../../runtime/gpu/tensor.ts";

/** One backend for the device of a test file, created at its first use. */
export function useBackend(name: BackendName, gpu: () => Gpu, scalar: ScalarType): () => Promise<DenseBackend> {
  let created: Promise<DenseBackend> | undefined;
  afterAll(async () => (await created)?.dispose());
  return () => (created ??= createBackend(name, gpu(), scalar));
}
