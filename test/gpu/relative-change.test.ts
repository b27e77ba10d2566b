import { describe, expect, it } from "vitest";
import { relativeChange as kernel } from "../../kernels/index.ts";
import { writeMatrix } from "../../runtime/gpu/chunked-matrix.ts";
import type { ChunkedMatrix } from "../../runtime/gpu/tensor.ts";
import { measureRelativeChange } from "../../runtime/transformer/step-cache-measure.ts";
import { changeSums, relativeChange as reference } from "../reference/relative-change.ts";
import { expectClose, randomValues } from "../support/compare.ts";
import { download, rounded, SCALARS, upload, useGpu } from "../support/gpu.ts";
import { COUNTS, outputWithSpare, repeated, runKernel, UNTOUCHED } from "../support/kernels.ts";

describe.each(SCALARS)("relative-change in %s", (scalar) => {
  const gpu = useGpu();

  /** Sums [firstSum + workgroups, 2] over the first `count` values, and three more that no workgroup may touch. */
  async function run(a: Float32Array, b: Float32Array, count: number, workgroups: number, firstSum = 0) {
    const sums = outputWithSpare(gpu(), "f32", (firstSum + workgroups) * 2, 3);
    await runKernel(gpu(), kernel, {
      bindings: { a: upload(gpu(), scalar, [a.length], a), b: upload(gpu(), scalar, [b.length], b), sums },
      parameters: { count, first_sum: firstSum },
      scalar,
      grid: [workgroups],
    });
    return download(gpu(), sums);
  }

  for (const workgroups of [1, 2, 3])
    it.each(COUNTS)(`adds up %d values in ${workgroups} workgroups and leaves what is beyond`, async (count) => {
      const a = rounded(scalar, randomValues(count + 5, 1));
      const b = rounded(scalar, randomValues(count + 5, 2));
      const sums = await run(a, b, count, workgroups);
      const total = [0, 1].map((which) => {
        let sum = 0;
        for (let group = 0; group < workgroups; group++) sum += sums[group * 2 + which]!;
        return sum;
      });
      expectClose(total, changeSums(a.subarray(0, count), b.subarray(0, count)), { relative: 1e-5 });
      expect([...sums.subarray(-3)]).toEqual(repeated(UNTOUCHED, 3));
    });

  it("writes from the first sum on, each workgroup its own stride of 64 values", async () => {
    const a = new Float32Array(130).fill(3);
    const b = new Float32Array(130).fill(-1);
    const sums = await run(a, b, 130, 2, 1);
    // values 0…63 and 128, 129 go to the first, 64…127 to the second
    expect([...sums]).toEqual([UNTOUCHED, UNTOUCHED, 264, 66, 256, 64, UNTOUCHED, UNTOUCHED, UNTOUCHED]);
  });

  it("finds no difference between equal values, and no magnitude in zeros", async () => {
    const values = rounded(scalar, randomValues(65));
    expect((await run(values, values, 65, 1))[0]).toBe(0);
    expect([...(await run(new Float32Array(65).fill(1), new Float32Array(65), 65, 1))].slice(0, 2)).toEqual([65, 0]);
  });
});

describe("relativeChange of matrices in chunks", () => {
  const gpu = useGpu();

  function matrix(rows: number, columns: number, rowsPerChunk: number, values: Float32Array): ChunkedMatrix {
    const scope = gpu().memory.scope();
    const made = scope.matrix("test input", "f32", rows, columns, rowsPerChunk);
    writeMatrix(gpu().recorder, made, values);
    return made;
  }

  for (const [rows, columns, rowsPerChunk] of [
    [1, 1, 1],
    [5, 3, 2],
    [64, 64, 64], // one group, full
    [64, 65, 64], // one group and a bit
    [4097, 260, 4097], // more values than the most workgroups take at 64 a lane
  ] as const)
    it(`compares ${rows} rows of ${columns} in chunks of ${rowsPerChunk}`, async () => {
      const [a, b] = [randomValues(rows * columns, 1), randomValues(rows * columns, 2)];
      const change = await gpu().checked("change", () =>
        measureRelativeChange(gpu(), matrix(rows, columns, rowsPerChunk, a), matrix(rows, columns, rowsPerChunk, b)),
      );
      expectClose([change], [reference(a, b)], { relative: 1e-5 });
    });

  it("is 0 for equal matrices, and not a number where both are zero", async () => {
    const values = randomValues(12);
    const of = (a: Float32Array, b: Float32Array) =>
      gpu().checked("change", () => measureRelativeChange(gpu(), matrix(4, 3, 3, a), matrix(4, 3, 3, b)));
    expect(await of(values, values)).toBe(0);
    expect(await of(new Float32Array(12), new Float32Array(12))).toBeNaN();
  });
});
