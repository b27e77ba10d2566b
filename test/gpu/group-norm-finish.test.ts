import { describe, expect, it } from "vitest";
import { groupNormFinish, groupNormStatistics } from "../../kernels/index.ts";
import { rowRanges } from "../../runtime/gpu/tensor.ts";
import { groupNormAffine, groupValues, statistics } from "../reference/group-norm.ts";
import { expectClose, randomValues } from "../support/compare.ts";
import { download, rounded, SCALARS, upload, useGpu } from "../support/gpu.ts";
import { outputWithSpare, runKernel, UNTOUCHED } from "../support/kernels.ts";

const EPS = 1e-6;

describe.each(SCALARS)("group-norm-finish compiled for %s", (scalar) => {
  const gpu = useGpu();

  /** Scale and shift of given partials. */
  async function finish(
    partials: readonly number[],
    groups: number,
    weight: ArrayLike<number>,
    bias: ArrayLike<number>,
    lanes: { readonly LANES: number; readonly ITEMS: number } = { LANES: 64, ITEMS: 1 },
  ): Promise<Float32Array> {
    const channels = weight.length;
    const affine = outputWithSpare(gpu(), "f32", 2 * channels, 3);
    await runKernel(gpu(), groupNormFinish, {
      bindings: {
        partials: upload(gpu(), "f32", [partials.length], partials),
        weight: upload(gpu(), "f32", [channels], weight),
        bias: upload(gpu(), "f32", [channels], bias),
        affine,
      },
      parameters: { slices: partials.length / (3 * groups), channels, groups, eps: EPS },
      overrides: lanes,
      scalar,
      grid: [Math.ceil(groups / lanes.ITEMS)],
    });
    const values = await download(gpu(), affine);
    expect([...values.subarray(-3)]).toEqual([UNTOUCHED, UNTOUCHED, UNTOUCHED]);
    return values.subarray(0, -3);
  }

  for (const [slices, channels, groups] of [
    [1, 1, 1],
    [2, 6, 3],
    [63, 4, 2],
    [64, 65, 1],
    [65, 64, 64],
    [130, 130, 1],
    [200, 96, 32],
  ] as const)
    it(`merges ${slices} slices of unequal sizes for ${channels} channels in ${groups} groups`, async () => {
      // slice p has p % 3 + 1 positions
      const starts = Array.from({ length: slices + 1 }, (_, slice) => sumOfSizes(slice));
      const x = randomValues(starts.at(-1)! * channels, 5);
      const weight = randomValues(channels, 6);
      const bias = randomValues(channels, 7);
      const partials = starts
        .slice(0, -1)
        .flatMap((start, slice) =>
          Array.from({ length: groups }, (_, group) =>
            statistics(groupValues(x, channels, groups, group, start, starts[slice + 1]!)),
          ).flat(),
        );
      const { scale, shift } = groupNormAffine(x, channels, groups, weight, bias, EPS);
      // with one value a group the deviation is √eps, and what is left of x − mean is rounding
      const tolerance = { absolute: 1e-4, relative: 1e-4 };
      expectClose(await finish(partials, groups, weight, bias), [...scale, ...shift], tolerance);
    });

  it.each([
    [1, 8],
    [4, 16],
  ])("gives a group %d lanes, %d groups to a workgroup", async (LANES, ITEMS) => {
    const [slices, groups] = [5, ITEMS + 1];
    const values = Array.from({ length: groups }, (_, group) => randomValues(3 * slices, group));
    const partials = Array.from({ length: slices }, (_, slice) =>
      values.flatMap((of) => statistics([...of.subarray(3 * slice, 3 * slice + 3)])),
    ).flat();
    const [weight, bias] = [randomValues(groups, 6), randomValues(groups, 7)];
    const positions = Array.from({ length: 3 * slices }, (_, i) => values.map((of) => of[i]!)).flat();
    const { scale, shift } = groupNormAffine(positions, groups, groups, weight, bias, EPS);
    const actual = await finish(partials, groups, weight, bias, { LANES, ITEMS });
    expectClose(actual, [...scale, ...shift], { absolute: 1e-5, relative: 1e-5 });
  });

  it("weights slices by their counts, empty ones not at all", async () => {
    const [scale, shift] = await finish([3, 1, 0, 0, 0, 0, 1, 5, 0], 1, [1], [0]); // values 1, 1, 1, 5
    expectClose([scale!, shift!], [1 / Math.sqrt(3), -2 / Math.sqrt(3)], { relative: 1e-5 });
  });

  it("adds eps where there is no variance", async () => {
    expectClose(await finish([10, 2, 0], 1, [1], [0.5]), [1e3, 0.5 - 2e3], { relative: 1e-5 });
  });

  it("makes GroupNorm of a map in two bands with the statistics kernel, a large mean beside a small variance", async () => {
    const [positions, channels, groups, perSlice] = [900, 8, 4, 256];
    const x = rounded(
      scalar,
      randomValues(positions * channels).map((value) => 300 + value),
    );
    const weight = randomValues(channels, 2);
    const bias = randomValues(channels, 3);
    const bands = rowRanges(positions, 600);
    const slicesOf = (count: number): number => Math.ceil(count / perSlice);
    const slices = bands.reduce((sum, { count }) => sum + slicesOf(count), 0);
    const partials = outputWithSpare(gpu(), "f32", slices * groups * 3, 0);
    let firstSlice = 0;
    for (const { first, count } of bands) {
      const band = x.subarray(first * channels, (first + count) * channels);
      await runKernel(gpu(), groupNormStatistics, {
        bindings: { x: upload(gpu(), scalar, [count, channels], band), partials },
        parameters: {
          positions: count,
          channels,
          groups,
          slices: slicesOf(count),
          first_slice: firstSlice,
          positions_per_slice: perSlice,
        },
        scalar,
        grid: [slicesOf(count), groups],
      });
      firstSlice += slicesOf(count);
    }
    const affine = await finish([...(await download(gpu(), partials))], groups, weight, bias);
    const expected = groupNormAffine(x, channels, groups, weight, bias, EPS);
    expectClose(affine, [...expected.scale, ...expected.shift], { relative: 1e-4, absolute: 1e-3 });
  });
});

/** Positions of the slices before `slice`. */
function sumOfSizes(slice: number): number {
  let sum = 0;
  for (let i = 0; i < slice; i++) sum += (i % 3) + 1;
  return sum;
}
