import { afterAll, beforeAll } from "vitest";
import { dawnGpu } from "../../runtime/node/dawn.ts";
import { Gpu, type GpuOptions } from "../../runtime/gpu/device.ts";
import { elementCount, type ScalarType, type Tensor } from "../../runtime/gpu/tensor.ts";
import { f16BitsToF32, f32ToF16Bits } from "./half.ts";

/**
 * One device for a test file, destroyed at its end.
 * @param lanes  `hardware`: kernels share out their work as on a GPU, though the adapter is a CPU
 */
export function useGpu(options: GpuOptions = {}, lanes: "own" | "hardware" = "own"): () => Gpu {
  let gpu: Gpu | undefined;
  beforeAll(async () => {
    gpu = await Gpu.open(await dawnGpu(), options);
    if (lanes === "hardware") Object.assign(gpu, { adapter: { ...gpu.adapter, software: false } });
  });
  afterAll(() => gpu?.destroy());
  return () => {
    if (!gpu) throw new Error("useGpu: the device is opened in beforeAll; call it inside a test");
    return gpu;
  };
}

/** The scalar types to test: f16 only if the adapter supports it (SwiftShader does not). */
export const SCALARS: readonly ScalarType[] = process.env["VK_ICD_FILENAMES"]?.includes("swiftshader")
  ? ["f32"]
  : ["f32", "f16"];

/** Uploads values, rounded to f16 if `dtype` is f16. */
export function upload(gpu: Gpu, dtype: ScalarType, shape: readonly number[], values: ArrayLike<number>): Tensor {
  const tensor = gpu.memory.tensor("activations", "test input", dtype, shape);
  gpu.recorder.write(
    tensor,
    dtype === "f32" ? Float32Array.from(values) : padded(Uint16Array.from(values, f32ToF16Bits)),
  );
  return tensor;
}

export function uploadU32(gpu: Gpu, values: ArrayLike<number>): Tensor {
  const tensor = gpu.memory.tensor("activations", "test input", "u32", [values.length]);
  gpu.recorder.write(tensor, Uint32Array.from(values));
  return tensor;
}

/** The values of an f32 or f16 tensor. */
export async function download(gpu: Gpu, tensor: Tensor): Promise<Float32Array> {
  const bytes = await gpu.recorder.read(tensor);
  const count = elementCount(tensor.shape);
  if (tensor.dtype === "f16") return Float32Array.from(new Uint16Array(bytes, 0, count), f16BitsToF32);
  return new Float32Array(bytes, 0, count);
}

/** Values as the GPU sees them after `upload`. */
export function rounded(dtype: ScalarType, values: ArrayLike<number>): Float32Array {
  return Float32Array.from(values, (value) => (dtype === "f16" ? f16BitsToF32(f32ToF16Bits(value)) : value));
}

function padded(values: Uint16Array<ArrayBuffer>): Uint16Array<ArrayBuffer> {
  if (values.length % 2 === 0) return values;
  const even = new Uint16Array(values.length + 1);
  even.set(values);
  return even;
}
