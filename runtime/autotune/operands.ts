import type { DenseBackend } from "../backend/backend.ts";
import type { Kernel2d, KernelLayout, Matrix, WeightFormat } from "../backend/matrix.ts";
import type { Gpu } from "../gpu/device.ts";
import type { MemoryScope } from "../gpu/memory.ts";
import type { ScalarType, Tensor } from "../gpu/tensor.ts";
import { kernelConversion } from "../weights/loader/kernel-layout.ts";
import { toScalar } from "../weights/loader/weight-loader.ts";
import { QUANTIZATION_BITS, QUANTIZATION_BLOCK } from "../weights/quantize.ts";

/** The operands of one operator on the GPU, and its expected results. */
export interface Operands {
  readonly output: Tensor;
  /** Some results by their index in the output, computed from the definition in f64. */
  readonly expected: ReadonlyMap<number, number>;
  run(backend: DenseBackend): Promise<void>;
  dispose(): void;
}

/** A prime, so that no two rows of a power of two columns are equal. */
const PERIOD = 65_521;
const CHECKED = 64;
/** Pseudo-random bytes. The values made of them below are exact in f16. */
const BYTES = noise(PERIOD);
const TAPS = 9;

const byteAt = (at: number): number => BYTES[at % PERIOD]!;
/** −1 … 0.9 in sixteenths of two. */
const inputAt = (at: number): number => ((byteAt(at) >> 4) - 8) / 8;
const weightAt = (at: number): number => (byteAt(at) - 128) / 128;
const scaleAt = (block: number, bits: 4 | 8): number => (1 + (byteAt(block) & 1)) / 2 ** bits;

/** x [rows, columns] · weights [outs, columns]ᵀ, the weights in `format`. */
export function productOperands(
  gpu: Gpu,
  scalar: ScalarType,
  format: WeightFormat,
  { rows, columns, outs }: { readonly rows: number; readonly columns: number; readonly outs: number },
): Operands {
  const scope = gpu.memory.scope();
  const x = fill(gpu, scope, scalar, [rows, columns], inputAt);
  const output = scope.tensor("autotuning", scalar, [rows, outs]);
  const piece = { firstRow: 0, rows: outs };
  const matrix = { name: "autotuning", out: outs, in: columns, format };
  let weights: Matrix;
  let weight = weightAt;
  if (format === "f32" || format === "f16")
    weights = { ...matrix, pieces: [{ ...piece, values: fill(gpu, scope, scalar, [outs, columns], weightAt) }] };
  else {
    const bits = QUANTIZATION_BITS[format];
    const blocks = columns / QUANTIZATION_BLOCK;
    const values = scope.tensor("autotuning", "u8", [outs, blocks, (QUANTIZATION_BLOCK * bits) / 8]);
    gpu.recorder.write(values, repeated(BYTES, (outs * columns * bits) / 8));
    const scales = fill(gpu, scope, scalar, [outs * blocks], (block) => scaleAt(block, bits));
    weights = { ...matrix, pieces: [{ ...piece, values, scales }] };
    weight = (at) => {
      const code = bits === 8 ? byteAt(at) - 128 : ((byteAt(at >> 1) >> (4 * (at & 1))) & 15) - 8;
      return code * scaleAt(Math.floor(at / QUANTIZATION_BLOCK), bits);
    };
  }
  const expected = sampled(rows * outs, (at) => {
    const [row, out] = [Math.floor(at / outs), at % outs];
    let sum = 0;
    for (let k = 0; k < columns; k++) sum += inputAt(row * columns + k) * weight(out * columns + k);
    return sum;
  });
  return {
    output,
    expected,
    run: (backend) => backend.linear(scope, { x, weights: [weights], outputs: [output] }),
    dispose: () => scope.dispose(),
  };
}

/** A 3 × 3 convolution of [1, height + 2, width, channels] with as many channels, with weights in each of `layouts`. */
export function convolutionOperands(
  gpu: Gpu,
  scalar: ScalarType,
  layouts: readonly KernelLayout[],
  { height, width, channels }: { readonly height: number; readonly width: number; readonly channels: number },
): Operands {
  const scope = gpu.memory.scope();
  const x = fill(gpu, scope, scalar, [1, height + 2, width, channels], inputAt);
  const output = scope.tensor("autotuning", scalar, [1, height, width, channels]);
  const shape = { name: "autotuning", out: channels, in: channels, size: 3 };
  const bias = fill(gpu, scope, scalar, [channels], weightAt);
  const values = Float32Array.from({ length: channels * channels * TAPS }, (_, at) => weightAt(at));
  const kernels = new Map<KernelLayout, Kernel2d>(
    layouts.map((layout) => {
      const conversion = kernelConversion([channels, channels, 3], layout);
      const weight = scope.tensor("autotuning", scalar, conversion.shape);
      gpu.recorder.write(weight, toScalar(conversion.convert(values), scalar));
      return [layout, { ...shape, weight, bias }];
    }),
  );
  const expected = sampled(height * width * channels, (at) => {
    const [position, out] = [Math.floor(at / channels), at % channels];
    const [row, column] = [Math.floor(position / width), position % width];
    let sum = weightAt(out);
    for (let tap = 0; tap < TAPS; tap++) {
      const from = column + (tap % 3) - 1;
      if (from < 0 || from >= width) continue;
      const base = ((row + Math.floor(tap / 3)) * width + from) * channels;
      for (let c = 0; c < channels; c++) sum += inputAt(base + c) * weightAt((out * channels + c) * TAPS + tap);
    }
    return sum;
  });
  const geometry = { stride: 1, padLeft: 1, padRight: 1 } as const;
  return {
    output,
    expected,
    run: (backend) => backend.convolve(scope, { x, weight: kernels.get(backend.kernelLayout)!, ...geometry, output }),
    dispose: () => scope.dispose(),
  };
}

/** A tensor of values that repeat with the period of the bytes, so that only one period is computed. */
function fill(
  gpu: Gpu,
  scope: MemoryScope,
  scalar: ScalarType,
  shape: readonly number[],
  valueAt: (at: number) => number,
): Tensor {
  const tensor = scope.tensor("autotuning", scalar, shape);
  const period = toScalar(
    Float32Array.from({ length: PERIOD }, (_, at) => valueAt(at)),
    scalar,
  ).subarray(0, PERIOD);
  const count = shape.reduce((product, size) => product * size, 1);
  gpu.recorder.write(tensor, repeated(period, count + (count % 2)));
  return tensor;
}

function repeated<T extends Uint8Array | Uint16Array | Float32Array>(period: T, count: number): T {
  const values = new (period.constructor as new (length: number) => T)(count);
  for (let at = 0; at < count; at += period.length) values.set(period.subarray(0, count - at), at);
  return values;
}

/** Expected values at some indices of an output, the first and the last among them. */
function sampled(count: number, valueAt: (at: number) => number): ReadonlyMap<number, number> {
  const indices = Array.from({ length: CHECKED }, (_, i) => Math.round(((count - 1) * i) / (CHECKED - 1)));
  return new Map(indices.map((at) => [at, valueAt(at)] as const));
}

/** By a linear congruential generator (Numerical Recipes). */
function noise(count: number): Uint8Array<ArrayBuffer> {
  let state = 1;
  return Uint8Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  });
}
