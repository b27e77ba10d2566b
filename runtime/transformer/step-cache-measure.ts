import { normalize, relativeChange as relativeChangeKernel } from "../../kernels/index.ts";
import type { Gpu } from "../gpu/device.ts";
import type { MemoryScope } from "../gpu/memory.ts";
import { foldGrid } from "../gpu/workgroups.ts";
import { elementCount, type ChunkedMatrix } from "../gpu/tensor.ts";
import type { Modulation } from "./modulation.ts";

/** A lane adds up some tens of values before there are as many workgroups as fill a GPU. */
const VALUES_PER_LANE = 64;
const MAX_SUMS = 256;

/**
 * mean|a − b| / mean|b|, for matrices with the same chunks. Waits for the GPU: the decision is the host's. The GPU adds up some thousand
 * values at most in f32; these sums are added in f64.
 *
 * @returns NaN or infinity where b is all zeros
 */
export async function measureRelativeChange(
  { memory, recorder }: Gpu,
  a: ChunkedMatrix,
  b: ChunkedMatrix,
): Promise<number> {
  const counts = a.chunks.map(({ shape }) =>
    Math.min(MAX_SUMS, Math.ceil(elementCount(shape) / (relativeChangeKernel.workgroupSize * VALUES_PER_LANE))),
  );
  using scope = memory.scope("transfer");
  const sums = scope.tensor("relative change", "f32", [counts.reduce((total, count) => total + count, 0), 2]);
  let firstSum = 0;
  for (const [i, chunk] of a.chunks.entries()) {
    recorder.dispatch(relativeChangeKernel, {
      bindings: { a: chunk, b: b.chunks[i]!, sums },
      parameters: { count: elementCount(chunk.shape), first_sum: firstSum },
      grid: [counts[i]!],
    });
    firstSum += counts[i]!;
  }
  let difference = 0;
  let magnitude = 0;
  const values = await recorder.readF32(sums);
  for (let i = 0; i < values.length; i += 2) {
    difference += values[i]!;
    magnitude += values[i + 1]!;
  }
  return difference / magnitude;
}

/**
 * LayerNorm(hidden) ⊙ (1 + scale) + shift of the first block: the tensor that TeaCache compares between evaluations.
 *
 * @param hidden  [rows, D] f32
 * @returns       [rows, D] f32
 */
export function modulatedInput(
  { recorder }: Gpu,
  scope: MemoryScope,
  hidden: ChunkedMatrix,
  { scale, shift }: Pick<Modulation, "scale" | "shift">,
  eps: number,
): ChunkedMatrix {
  const out = scope.matrix("modulated input", "f32", hidden.rows, hidden.columns, hidden.rowsPerChunk);
  for (const [i, x] of hidden.chunks.entries()) {
    const rows = x.shape[0]!;
    recorder.dispatch(normalize, {
      bindings: { x, scale, shift, y: out.chunks[i]! },
      parameters: { rows, quads: hidden.columns / 4, eps },
      grid: foldGrid(rows),
    });
  }
  return out;
}
