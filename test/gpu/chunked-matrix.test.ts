import { describe, expect, it } from "vitest";
import {
  copyMatrix,
  joinMatrix,
  overwriteMatrix,
  readMatrix,
  stackMatrix,
  writeMatrix,
} from "../../runtime/gpu/chunked-matrix.ts";
import { randomValues } from "../support/compare.ts";
import { download, rounded, SCALARS, upload, useGpu } from "../support/gpu.ts";

describe.each(SCALARS)("rows in %s", (scalar) => {
  const gpu = useGpu();
  const COLUMNS = 6;

  /** Matrices of so many rows each, with their values one below the other. */
  function matrices(heights: readonly number[]) {
    const values = heights.map((rows, i) => rounded(scalar, randomValues(rows * COLUMNS, i + 1)));
    const tensors = values.map((matrix, i) => upload(gpu(), scalar, [heights[i]!, COLUMNS], matrix));
    return { tensors, all: Float32Array.from(values.flatMap((matrix) => [...matrix])) };
  }

  for (const [heights, rowsPerChunk] of [
    [[1], 1],
    [[5], 5],
    [[5], 4],
    [[5], 6],
    [[2, 3], 5],
    [[2, 3], 2],
    [[3, 1, 9], 4],
    [[7, 7], 3],
    [[1, 1, 1, 1], 3],
  ] as const)
    it(`stacks matrices of ${heights.join(", ")} rows into chunks of ${rowsPerChunk} and joins them again`, async () => {
      using scope = gpu().memory.scope();
      const { tensors, all } = matrices(heights);
      const total = all.length / COLUMNS;
      const [stacked, joined] = await gpu().checked("rows", async () => {
        const rows = stackMatrix(gpu().recorder, scope, tensors, rowsPerChunk);
        return [rows, joinMatrix(gpu().recorder, scope, rows)] as const;
      });
      expect(stacked).toMatchObject({ rows: total, columns: COLUMNS, dtype: scalar, rowsPerChunk });
      expect(stacked.chunks).toHaveLength(Math.ceil(total / rowsPerChunk));
      let first = 0;
      for (const chunk of stacked.chunks) {
        const rows = Math.min(rowsPerChunk, total - first);
        expect(chunk.shape).toEqual([rows, COLUMNS]);
        expect(await download(gpu(), chunk)).toEqual(all.slice(first * COLUMNS, (first + rows) * COLUMNS));
        first += rows;
      }
      expect(joined.shape).toEqual([total, COLUMNS]);
      expect(await download(gpu(), joined)).toEqual(all);
    });

  it("copies a matrix, so that the copy stays when the source is overwritten", async () => {
    using scope = gpu().memory.scope();
    const { tensors, all } = matrices([7]);
    const { tensors: others, all: otherValues } = matrices([2, 5]);
    const { recorder } = gpu();
    const [copy, source] = await gpu().checked("rows", async () => {
      const source = stackMatrix(recorder, scope, tensors, 3);
      const copy = copyMatrix(recorder, scope, source);
      overwriteMatrix(recorder, stackMatrix(recorder, scope, others, 3), source);
      return [joinMatrix(recorder, scope, copy), joinMatrix(recorder, scope, source)] as const;
    });
    expect(await download(gpu(), copy)).toEqual(all);
    expect(await download(gpu(), source)).toEqual(otherValues);
  });
});

describe("rows of f32 and the host", () => {
  const gpu = useGpu();

  it.each([1, 3, 4, 7, 8])("writes 7 rows into chunks of %d and reads them back", async (rowsPerChunk) => {
    using scope = gpu().memory.scope();
    const values = randomValues(7 * 5);
    const rows = scope.matrix("rows", "f32", 7, 5, rowsPerChunk);
    await gpu().checked("write", async () => writeMatrix(gpu().recorder, rows, values));
    expect(await readMatrix(gpu().recorder, rows)).toEqual(values);
  });
});
