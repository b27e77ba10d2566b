import { KleinbildError } from "../errors.ts";

/** Element types of tensors. `u8` holds packed quantized codes, four to a 32-bit word. */
export type DType = "f32" | "f16" | "u32" | "u8";

/** The type of weights and branch activations, and of a kernel's `alias scalar`. */
export type ScalarType = "f32" | "f16";

export const BYTES_PER_ELEMENT: Readonly<Record<DType, number>> = { f32: 4, f16: 2, u32: 4, u8: 1 };

/** A dense row-major array that owns the whole of one GPU buffer. */
export interface Tensor {
  readonly buffer: GPUBuffer;
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** The type of a tensor of floats. @throws KleinbildError `invalid-shape` for another */
export function scalarOf({ dtype }: Pick<Tensor, "dtype">): ScalarType {
  if (dtype === "f32" || dtype === "f16") return dtype;
  throw new KleinbildError("invalid-shape", `A tensor of f32 or f16 was expected; got ${dtype}.`);
}

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Bytes of a tensor, padded to a multiple of four: WebGPU copies and binds whole words. */
export function tensorBytes(dtype: DType, shape: readonly number[]): number {
  return Math.max(4, Math.ceil((elementCount(shape) * BYTES_PER_ELEMENT[dtype]) / 4) * 4);
}

/**
 * A matrix [rows, columns] cut into chunks of whole rows, each in a buffer of its own, so that no chunk exceeds the binding
 * limit. All chunks but the last hold `rowsPerChunk` rows.
 */
export interface ChunkedMatrix {
  readonly rows: number;
  readonly columns: number;
  readonly dtype: DType;
  readonly rowsPerChunk: number;
  readonly chunks: readonly Tensor[];
}

/** Rows `first … first + count − 1`. */
export interface RowRange {
  readonly first: number;
  readonly count: number;
}

/** The row ranges of a matrix of `rows` rows in chunks of `rowsPerChunk`. */
export function rowRanges(rows: number, rowsPerChunk: number): readonly RowRange[] {
  const ranges: RowRange[] = [];
  for (let first = 0; first < rows; first += rowsPerChunk)
    ranges.push({ first, count: Math.min(rowsPerChunk, rows - first) });
  return ranges;
}
