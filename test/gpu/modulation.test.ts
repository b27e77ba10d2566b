import { describe, expect, it } from "vitest";
import { modulation } from "../../kernels/index.ts";
import { modulate } from "../reference/elementwise.ts";
import { randomValues } from "../support/compare.ts";
import { download, rounded, SCALARS, upload, useGpu } from "../support/gpu.ts";
import { downloadWithSpare, outputWithSpare, repeated, runKernel, twoRowGrid, UNTOUCHED } from "../support/kernels.ts";

/** The table is f32 for both scalar types; the kernel is to compile and do the same in both. */
describe.each(SCALARS)("modulation compiled for %s", (scalar) => {
  const gpu = useGpu();

  for (const [rows, chunks, width, period, scaleIndex] of [
    [1, 1, 1, 1, 0],
    [1, 3, 21, 3, 1],
    [1, 2, 32, 2, 0],
    [1, 2, 32, 2, 1],
    [5, 6, 13, 3, 1],
    [3, 6, 64, 3, 2],
    [2, 2, 65, 2, 0],
  ] as const)
    it(`adds 1 to chunk ${scaleIndex} of every ${period} of ${chunks}, ${width} wide, in ${rows} rows`, async () => {
      const count = rows * chunks * width;
      const values = rounded("f32", randomValues(count));
      const out = outputWithSpare(gpu(), "f32", count);
      await runKernel(gpu(), modulation, {
        bindings: { table: upload(gpu(), "f32", [count], values), out },
        parameters: { count, width, period, scale_index: scaleIndex },
        scalar,
        grid: twoRowGrid(modulation, count),
      });
      const actual = await downloadWithSpare(gpu(), out, count);
      const expected = modulate(values, chunks, width, period, scaleIndex);
      expect(actual.values).toEqual(Float32Array.from(expected)); // one rounding, so bit by bit
      expect(actual.spare).toEqual(repeated(UNTOUCHED, 7));
    });

  it("leaves the table as it is", async () => {
    const values = [0.5, -0.5];
    const table = upload(gpu(), "f32", [2], values);
    await runKernel(gpu(), modulation, {
      bindings: { table, out: outputWithSpare(gpu(), "f32", 2) },
      parameters: { count: 2, width: 1, period: 2, scale_index: 0 },
      scalar,
      grid: [1],
    });
    expect([...(await download(gpu(), table))]).toEqual(values);
  });
});
