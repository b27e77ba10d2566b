import { describe, expect, it } from "vitest";
import { groupNormStatistics } from "../../kernels/index.ts";
import { rowRanges } from "../../runtime/gpu/tensor.ts";
import { groupValues, statistics } from "../reference/group-norm.ts";
import { expectClose, randomValues } from "../support/compare.ts";
import { download, rounded, SCALARS, upload, useGpu } from "../support/gpu.ts";
import { outputWithSpare, repeated, runKernel, UNTOUCHED } from "../support/kernels.ts";

describe.each(SCALARS)("group-norm-statistics in %s", (scalar) => {
  const gpu = useGpu();

  /** Partials [firstSlice + slices, groups, 3] of x, those before `firstSlice` untouched. */
  async function run(
    x: Float32Array,
    channels: number,
    groups: number,
    positionsPerSlice: number,
    firstSlice = 0,
    lanes: { readonly LANES: number; readonly ITEMS: number } = { LANES: 64, ITEMS: 1 },
  ): Promise<Float32Array> {
    const positions = x.length / channels;
    const slices = Math.ceil(positions / positionsPerSlice);
    const partials = outputWithSpare(gpu(), "f32", (firstSlice + slices) * groups * 3, 3);
    await runKernel(gpu(), groupNormStatistics, {
      bindings: { x: upload(gpu(), scalar, [positions, channels], x), partials },
      parameters: {
        positions,
        channels,
        groups,
        slices,
        first_slice: firstSlice,
        positions_per_slice: positionsPerSlice,
      },
      overrides: lanes,
      scalar,
      grid: [Math.ceil(slices / lanes.ITEMS), groups],
    });
    return download(gpu(), partials);
  }

  for (const [positions, channels, groups, positionsPerSlice] of [
    [1, 1, 1, 1],
    [1, 64, 64, 1],
    [1, 63, 1, 1],
    [64, 1, 1, 64],
    [65, 1, 1, 64],
    [63, 2, 2, 64],
    [37, 12, 4, 10],
    [130, 32, 32, 64],
    [50, 96, 32, 17],
  ] as const)
    it(`takes ${positions} positions of ${channels} channels in ${groups} groups, ${positionsPerSlice} a slice`, async () => {
      const x = rounded(scalar, randomValues(positions * channels));
      const actual = await run(x, channels, groups, positionsPerSlice);
      const expected: number[] = [];
      for (let first = 0; first < positions; first += positionsPerSlice)
        for (let group = 0; group < groups; group++) {
          const end = Math.min(positions, first + positionsPerSlice);
          expected.push(...statistics(groupValues(x, channels, groups, group, first, end)));
        }
      expectClose(actual.subarray(0, -3), expected, { absolute: 1e-5, relative: 1e-5 });
      expect([...actual.subarray(-3)]).toEqual([UNTOUCHED, UNTOUCHED, UNTOUCHED]);
    });

  it.each([
    [1, 8],
    [4, 16],
  ])("gives a slice %d lanes, %d slices to a workgroup", async (LANES, ITEMS) => {
    const [positions, channels, groups, perSlice] = [10 * ITEMS + 3, 6, 2, 10];
    const x = rounded(scalar, randomValues(positions * channels));
    const actual = await run(x, channels, groups, perSlice, 0, { LANES, ITEMS });
    const expected = rowRanges(positions, perSlice).flatMap(({ first, count }) =>
      [0, 1].flatMap((group) => statistics(groupValues(x, channels, groups, group, first, first + count))),
    );
    expectClose(actual.subarray(0, -3), expected, { absolute: 1e-5, relative: 1e-5 });
    expect([...actual.subarray(-3)]).toEqual([UNTOUCHED, UNTOUCHED, UNTOUCHED]);
  });

  it("writes from the first slice on", async () => {
    const x = rounded(scalar, randomValues(20));
    const actual = await run(x, 2, 1, 5, 3);
    expect([...actual.subarray(0, 9)]).toEqual(repeated(UNTOUCHED, 9));
    const expected = [0, 5].flatMap((first) => statistics(groupValues(x, 2, 1, 0, first, first + 5)));
    expectClose(actual.subarray(9, 15), expected, { absolute: 1e-6, relative: 1e-6 });
  });

  it("keeps a small variance beside a mean thousands of times larger, over many values", async () => {
    // in f32, sums of squares of 1000 … would be right to 0.06 a value at best; the variance here is 0.08
    const x = rounded(
      scalar,
      randomValues(4096 * 4).map((value) => 1000 + (scalar === "f32" ? 0.5 : 1) * value),
    );
    const actual = await run(x, 4, 1, 4096);
    const [count, mean, squares] = statistics(groupValues(x, 4, 1, 0, 0, 4096));
    expect(actual[0]).toBe(count);
    expectClose(actual.subarray(1, 2), [mean], { relative: 1e-6 });
    expectClose(actual.subarray(2, 3), [squares], { relative: 1e-3 });
  });

  it("finds no deviation among equal values", async () => {
    const actual = await run(new Float32Array(200 * 3).fill(1.5), 3, 1, 128);
    expect([...actual.subarray(0, 6)]).toEqual([384, 1.5, 0, 216, 1.5, 0]);
  });
});
