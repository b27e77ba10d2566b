import { accumulate } from "../../kernels/index.ts";
import type { MemoryScope } from "./memory.ts";
import type { Recorder } from "./recorder.ts";
import { elementCount, type ChunkedMatrix, rowRanges, scalarOf, type Tensor } from "./tensor.ts";
import { elementGrid } from "./workgroups.ts";

/** Matrices [rows_i, columns], one below the other, copied into chunks. */
export function stackMatrix(
  recorder: Recorder,
  scope: MemoryScope,
  matrices: readonly Tensor[],
  rowsPerChunk: number,
): ChunkedMatrix {
  const { dtype } = matrices[0]!;
  const columns = matrices[0]!.shape[1]!;
  const total = matrices.reduce((sum, { shape }) => sum + shape[0]!, 0);
  const target = scope.matrix("rows", dtype, total, columns, rowsPerChunk);
  let first = 0;
  for (const matrix of matrices) {
    const end = first + matrix.shape[0]!;
    for (const [i, chunk] of rowRanges(total, rowsPerChunk).entries()) {
      const from = Math.max(first, chunk.first);
      const to = Math.min(end, chunk.first + chunk.count);
      if (from < to)
        recorder.copy(
          matrix,
          (from - first) * columns,
          target.chunks[i]!,
          (from - chunk.first) * columns,
          (to - from) * columns,
        );
    }
    first = end;
  }
  return target;
}

/** The chunks of a matrix as one tensor [rows, columns]. */
export function joinMatrix(
  recorder: Recorder,
  scope: MemoryScope,
  { rows, columns, dtype, rowsPerChunk, chunks }: ChunkedMatrix,
): Tensor {
  const target = scope.tensor("rows", dtype, [rows, columns]);
  for (const [i, { first, count }] of rowRanges(rows, rowsPerChunk).entries())
    recorder.copy(chunks[i]!, 0, target, first * columns, count * columns);
  return target;
}

/** A copy of a matrix in chunks. */
export function copyMatrix(recorder: Recorder, scope: MemoryScope, source: ChunkedMatrix): ChunkedMatrix {
  const target = scope.matrix("rows", source.dtype, source.rows, source.columns, source.rowsPerChunk);
  overwriteMatrix(recorder, source, target);
  return target;
}

/** target = source, for matrices with the same chunks. */
export function overwriteMatrix(recorder: Recorder, source: ChunkedMatrix, target: ChunkedMatrix): void {
  for (const [i, chunk] of source.chunks.entries())
    recorder.copy(chunk, 0, target.chunks[i]!, 0, chunk.shape[0]! * source.columns);
}

/** The values of an f32 matrix, row by row. */
export async function readMatrix(recorder: Recorder, source: ChunkedMatrix): Promise<Float32Array<ArrayBuffer>> {
  const values = new Float32Array(source.rows * source.columns);
  for (const [i, chunk] of source.chunks.entries())
    values.set(await recorder.readF32(chunk), i * source.rowsPerChunk * source.columns);
  return values;
}

/** Host values [rows, columns] as an f32 matrix in chunks. */
export function writeMatrix(recorder: Recorder, target: ChunkedMatrix, values: Float32Array): void {
  for (const [i, { first, count }] of rowRanges(target.rows, target.rowsPerChunk).entries())
    recorder.write(target.chunks[i]!, values.subarray(first * target.columns, (first + count) * target.columns));
}

/** target = a · target + b · x, for f32 matrices with the same chunks. */
export function accumulateMatrix(
  recorder: Recorder,
  target: ChunkedMatrix,
  a: number,
  x: ChunkedMatrix,
  b: number,
): void {
  for (const [i, accumulator] of target.chunks.entries())
    accumulateTensor(recorder, { target: accumulator, a, x: x.chunks[i]!, b });
}

/** target = a · target + b · x, for tensors of one type and size. */
export function accumulateTensor(
  recorder: Recorder,
  { target, a, x, b }: { readonly target: Tensor; readonly a: number; readonly x: Tensor; readonly b: number },
): void {
  const count = elementCount(target.shape);
  recorder.dispatch(accumulate, {
    bindings: { x, accumulator: target },
    parameters: { count, a, b },
    scalar: scalarOf(target),
    grid: elementGrid(accumulate, count),
  });
}
