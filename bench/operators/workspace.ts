import type { HeadMajor } from "../../runtime/backend/attention.ts";
import type { BackendName, DenseBackend } from "../../runtime/backend/backend.ts";
import type { Matrix, WeightFormat } from "../../runtime/backend/matrix.ts";
import type { OrtSessions } from "../../runtime/backend/ort/sessions.ts";
import type { Gpu } from "../../runtime/gpu/device.ts";
import type { MemoryScope } from "../../runtime/gpu/memory.ts";
import type { DType, ScalarType, Tensor } from "../../runtime/gpu/tensor.ts";
import { f16ToF32, f32ToF16 } from "../../runtime/weights/float.ts";
import { QUANTIZATION_BITS, QUANTIZATION_BLOCK, quantizeRows } from "../../runtime/weights/quantize.ts";

/** Device and backends that operators run on. */
export interface Implementations {
  readonly gpu: Gpu;
  readonly scalar: ScalarType;
  readonly backends: Readonly<Record<BackendName, DenseBackend>>;
  readonly sessions: OrtSessions;
}

/** Creates the buffers of one operator, with random values that its reference is computed from. */
export class Workspace implements Implementations {
  readonly gpu: Gpu;
  readonly scalar: ScalarType;
  readonly backends: Readonly<Record<BackendName, DenseBackend>>;
  readonly sessions: OrtSessions;
  readonly scope: MemoryScope;
  readonly #tensors: Tensor[] = [];
  #seed = 1;

  constructor({ gpu, scalar, backends, sessions }: Implementations) {
    this.gpu = gpu;
    this.scalar = scalar;
    this.backends = backends;
    this.sessions = sessions;
    this.scope = gpu.memory.scope();
  }

  tensor(shape: readonly number[], dtype: DType = this.scalar): Tensor {
    const tensor = this.gpu.memory.tensor("activations", "bench", dtype, shape);
    this.#tensors.push(tensor);
    return tensor;
  }

  upload(shape: readonly number[], values: Float32Array<ArrayBuffer>, dtype = this.scalar): Tensor {
    const tensor = this.tensor(shape, dtype);
    this.write(tensor, values);
    return tensor;
  }

  write(tensor: Tensor, values: Float32Array<ArrayBuffer>): void {
    this.gpu.recorder.write(tensor, tensor.dtype === "f16" ? f32ToF16(values) : values);
  }

  /** Numbers from −1 to 1 that the scalar type represents exactly. */
  random(count: number): Float32Array<ArrayBuffer> {
    let state = this.#seed++;
    return this.#rounded(
      Float32Array.from({ length: count }, () => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        return state / 2 ** 31 - 1;
      }),
    );
  }

  /** A matrix in a format, and its dequantized values [out, in]. */
  matrix(format: WeightFormat, out: number, columns: number): readonly [Matrix, Float32Array] {
    const values = this.random(out * columns);
    const piece = { firstRow: 0, rows: out };
    const matrix = { name: "bench", out, in: columns, format };
    if (format === "f32" || format === "f16")
      return [{ ...matrix, pieces: [{ ...piece, values: this.upload([out, columns], values) }] }, values];
    const bits = QUANTIZATION_BITS[format];
    const { packed, scales } = quantizeRows(values, out, columns, bits);
    const codes = this.tensor([out, columns / QUANTIZATION_BLOCK, 4 * bits], "u8");
    this.gpu.recorder.write(codes, packed);
    const rounded = this.#rounded(scales);
    const restored = values.map((_, i) => {
      const code = bits === 8 ? packed[i]! : (packed[i >> 1]! >> (4 * (i & 1))) & 15;
      return (code - 2 ** (bits - 1)) * rounded[Math.floor(i / QUANTIZATION_BLOCK)]!;
    });
    const onGpu = { ...piece, values: codes, scales: this.upload([scales.length], rounded) };
    return [{ ...matrix, pieces: [onGpu] }, restored];
  }

  /** Writes arrays [rows, heads · d] as [arrays, heads, rows, d], cut into groups of heads. */
  fillHeads(target: HeadMajor, arrays: readonly Float32Array[], heads: number, d: number): void {
    const rows = target.capacity;
    const perGroup = heads / target.groups.length;
    target.groups.forEach((tensor, group) => {
      const values = new Float32Array(arrays.length * perGroup * rows * d);
      arrays.forEach((array, index) => {
        for (let h = 0; h < perGroup; h++)
          for (let row = 0; row < rows; row++) {
            const from = (row * heads + group * perGroup + h) * d;
            values.set(array.subarray(from, from + d), ((index * perGroup + h) * rows + row) * d);
          }
      });
      this.write(tensor, values);
    });
  }

  dispose(): void {
    this.scope.dispose();
    this.gpu.memory.freeTensors(...this.#tensors);
  }

  #rounded(values: Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
    return this.scalar === "f16" ? f16ToF32(f32ToF16(values)) : values;
  }
}
