import { describe, expect, it } from "vitest";
import { gatedAdd } from "../../kernels/index.ts";
import type { ScalarType } from "../../runtime/gpu/tensor.ts";
import { gatedAdd as reference } from "../reference/elementwise.ts";
import { expectClose, randomValues } from "../support/compare.ts";
import { download, rounded, SCALARS, upload, useGpu } from "../support/gpu.ts";
import { runKernel, twoRowGrid, UNTOUCHED } from "../support/kernels.ts";

const SPARE = [UNTOUCHED, UNTOUCHED, UNTOUCHED];

describe.each(SCALARS)("gated-add of branches in %s", (scalar) => {
  const gpu = useGpu();

  function inputs(rows: number, columns: number) {
    const count = rows * columns;
    return {
      x: Float32Array.from([...randomValues(count).map((value) => 100 * value), ...SPARE]),
      y: rounded(scalar, randomValues(count + SPARE.length, 2)),
      gate: randomValues(columns, 3),
    };
  }

  for (const [rows, columns] of [
    [1, 1],
    [1, 63],
    [64, 1],
    [5, 13],
    [7, 64],
    [3, 129],
  ] as const)
    it.each([1, 0])(`adds ${rows} rows of ${columns} with GATED %d and a scale`, async (gated) => {
      const { x, y, gate } = inputs(rows, columns);
      const target = upload(gpu(), "f32", [x.length], x);
      await runKernel(gpu(), gatedAdd, {
        bindings: {
          y: upload(gpu(), scalar, [y.length], y),
          gate: upload(gpu(), "f32", [columns], gate),
          x: target,
        },
        parameters: { rows, columns, scale: 0.5 },
        overrides: { GATED: gated },
        scalar,
        grid: twoRowGrid(gatedAdd, rows * columns),
      });
      const actual = await download(gpu(), target);
      const count = rows * columns;
      const expected = reference(x.subarray(0, count), y, gated ? gate : undefined, columns, 0.5);
      expectClose(actual.subarray(0, count), expected, { absolute: 1e-5 });
      expect([...actual.subarray(count)]).toEqual(SPARE);
    });

  it("keeps what f16 would lose in the residual stream", async () => {
    expect(await addOnes(scalar, 1)).toEqual([4097]); // f16 has no 4097
  });

  it("scales the branch, not the stream", async () => {
    expect(await addOnes(scalar, 8)).toEqual([4104]);
  });

  async function addOnes(dtype: ScalarType, scale: number): Promise<readonly number[]> {
    const x = upload(gpu(), "f32", [1], [4096]);
    await runKernel(gpu(), gatedAdd, {
      bindings: { y: upload(gpu(), dtype, [1], [1]), gate: upload(gpu(), "f32", [1], [1]), x },
      parameters: { rows: 1, columns: 1, scale },
      scalar: dtype,
      grid: [1],
    });
    return [...(await download(gpu(), x))];
  }
});
