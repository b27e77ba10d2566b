import type { Gpu } from "../gpu/device.ts";
import type { ScalarType } from "../gpu/tensor.ts";
import type { BackendName, DenseBackend } from "./backend.ts";
import { WgslBackend } from "./wgsl/wgsl-backend.ts";

/**
 * Creates a dense backend. Only `ort` loads onnxruntime.
 *
 * @param ortWasmUrl  URL of onnxruntime's wasm file. Default: the bundler resolves it.
 * @throws KleinbildError `unsupported` when onnxruntime-web cannot be loaded
 */
export async function createBackend(
  name: BackendName,
  gpu: Gpu,
  scalar: ScalarType,
  ortWasmUrl?: string,
): Promise<DenseBackend> {
  if (name === "wgsl") return new WgslBackend(gpu, scalar);
  const { OrtBackend } = await import("./ort/ort-backend.ts");
  return OrtBackend.create(gpu, scalar, ortWasmUrl);
}

/** onnxruntime's backend on the null device: it does not load onnxruntime. */
export async function createOrtOnNullDevice(gpu: Gpu, scalar: ScalarType): Promise<DenseBackend> {
  const { OrtBackend } = await import("./ort/ort-backend.ts");
  return OrtBackend.onNullDevice(gpu, scalar);
}
