import { describe, expect, it } from "vitest";
import { placeColumns } from "../../kernels/index.ts";
import { placeColumns as reference } from "../reference/elementwise.ts";
import { randomValues } from "../support/compare.ts";
import { download, rounded, SCALARS, upload, useGpu } from "../support/gpu.ts";
import { outputWithSpare, repeated, runKernel, twoRowGrid, UNTOUCHED } from "../support/kernels.ts";

describe.each(SCALARS)("place-columns in %s", (scalar) => {
  const gpu = useGpu();

  for (const [rows, columns, outColumns, start] of [
    [1, 1, 1, 0],
    [1, 64, 64, 0],
    [9, 7, 20, 0],
    [9, 7, 20, 13],
    [5, 13, 27, 6],
    [3, 65, 131, 66],
    [31, 33, 34, 1],
  ] as const)
    it(`puts ${rows} rows of ${columns} at column ${start} of ${outColumns} and leaves the rest`, async () => {
      const x = rounded(scalar, randomValues(rows * columns));
      const count = rows * outColumns;
      const out = outputWithSpare(gpu(), scalar, count);
      await runKernel(gpu(), placeColumns, {
        bindings: { x: upload(gpu(), scalar, [rows, columns], x), out },
        parameters: { rows, columns, out_columns: outColumns, column_start: start },
        scalar,
        grid: twoRowGrid(placeColumns, rows * columns),
      });
      const before = repeated(UNTOUCHED, count + 7);
      expect(await download(gpu(), out)).toEqual(Float32Array.from(reference(before, outColumns, x, columns, start)));
    });

  it("joins matrices of odd widths side by side", async () => {
    const rows = 11;
    const widths = [3, 5, 1];
    const out = outputWithSpare(gpu(), scalar, rows * 9, 0);
    let expected: readonly number[] = repeated(UNTOUCHED, rows * 9);
    let start = 0;
    for (const columns of widths) {
      const x = rounded(scalar, randomValues(rows * columns, columns));
      await runKernel(gpu(), placeColumns, {
        bindings: { x: upload(gpu(), scalar, [rows, columns], x), out },
        parameters: { rows, columns, out_columns: 9, column_start: start },
        scalar,
        grid: twoRowGrid(placeColumns, rows * columns),
      });
      expected = reference(expected, 9, x, columns, start);
      start += columns;
    }
    expect(await download(gpu(), out)).toEqual(Float32Array.from(expected));
  });
});
