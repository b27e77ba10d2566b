import type { BackendName } from "../../runtime/backend/backend.ts";
import type { ScalarType, Tensor } from "../../runtime/gpu/tensor.ts";

/** What an implementation writes, and some of the results by their places, of the definition in f64. */
export interface CheckedOutput {
  readonly tensor: Tensor;
  readonly expected: ReadonlyMap<number, number>;
}

/** An operator, ready to run on its buffers. */
export interface Operator {
  readonly name: string;
  readonly shape: string;
  /** Two operations to a multiply-add, or the bytes that must be read and written of what is bound by memory. */
  readonly work: { readonly operations: number } | { readonly bytes: number };
  /** What onnxruntime has no operator for is ours alone. */
  readonly runs: Readonly<Partial<Record<BackendName, () => Promise<void>>>>;
  readonly outputs: readonly CheckedOutput[];
  /** Drivers that run on the CPU take minutes to compile onnxruntime's shader: a run that ends in time leaves it out there. */
  readonly slowOnCpu?: true;
}

/** ONNX's names of the scalar types. */
export const FLOAT_TYPES = { f32: "float32", f16: "float16" } as const satisfies Readonly<Record<ScalarType, string>>;

/** Results of the definition that each output is compared with. */
const CHECKED = 24;

/** Some places of an output, the first and the last among them, with what belongs there. */
export function places(count: number, valueAt: (at: number) => number): ReadonlyMap<number, number> {
  return new Map(
    Array.from({ length: CHECKED }, (_, i) => {
      const at = Math.round(((count - 1) * i) / (CHECKED - 1));
      return [at, valueAt(at)] as const;
    }),
  );
}
