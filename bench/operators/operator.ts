import type { BackendName } from "../../runtime/backend/backend.ts";
import type { ScalarType, Tensor } from "../../runtime/gpu/tensor.ts";

/** An output of an operator, and a sample of its expected values in f64 by index. */
export interface CheckedOutput {
  readonly tensor: Tensor;
  readonly expected: ReadonlyMap<number, number>;
}

/** An operator, ready to run on its buffers. */
export interface Operator {
  readonly name: string;
  readonly shape: string;
  /** Operations, where a multiply-add counts as two; for memory-bound operators, the bytes that are read and written. */
  readonly work: { readonly operations: number } | { readonly bytes: number };
  /** Implementations by backend. onnxruntime does not have all operators. */
  readonly runs: Readonly<Partial<Record<BackendName, () => Promise<void>>>>;
  readonly outputs: readonly CheckedOutput[];
  /** Drivers that run on the CPU take minutes to compile onnxruntime's shader, so runs with a time limit skip it there. */
  readonly slowOnCpu?: true;
}

/** Scalar types in ONNX. */
export const FLOAT_TYPES = { f32: "float32", f16: "float16" } as const satisfies Readonly<Record<ScalarType, string>>;

/** Values of each output that are compared with the reference. */
const CHECKED = 24;

/** Evenly spaced indices of an output, including the first and the last, with their expected values. */
export function sampled(count: number, valueAt: (at: number) => number): ReadonlyMap<number, number> {
  return new Map(
    Array.from({ length: CHECKED }, (_, i) => {
      const at = Math.round(((count - 1) * i) / (CHECKED - 1));
      return [at, valueAt(at)] as const;
    }),
  );
}
