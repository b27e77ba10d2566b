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
      parameters: { parts: partials.length / (3 * groups), channels, groups, eps: EPS },
      overrides: lanes,
      scalar,
      grid: [Math.ceil(groups / lanes.ITEMS)],
    });
    const values = await download(gpu(), affine);
    expect([...values.subarray(-3)]).toEqual([UNTOUCHED, UNTOUCHED, UNTOUCHED]);
    return values.subarray(0, -3);
  }

  for (const [parts, channels, groups] of [
    [1, 1, 1],
    [2, 6, 3],
    [63, 4, 2],
    [64, 65, 1],
    [65, 64, 64],
    [130, 130, 1],
    [200, 96, 32],
  ] as const)
    it(`merges ${parts} parts of unequal sizes for ${channels} channels in ${groups} groups`, async () => {
      // part p has p % 3 + 1 positions
      const starts = Array.from({ length: parts + 1 }, (_, part) => sumOfSizes(part));
      const x = randomValues(starts.at(-1)! * channels, 5);
      const weight = randomValues(channels, 6);
      const bias = randomValues(channels, 7);
      const partials = starts
        .slice(0, -1)
        .flatMap((start, part) =>
          Array.from({ length: groups }, (_, group) =>
            statistics(groupValues(x, channels, groups, group, start, starts[part + 1]!)),
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
    const [parts, groups] = [5, ITEMS + 1];
    const values = Array.from({ length: groups }, (_, group) => randomValues(3 * parts, group));
    const partials = Array.from({ length: parts }, (_, part) =>
      values.flatMap((of) => statistics([...of.subarray(3 * part, 3 * part + 3)])),
    ).flat();
    const [weight, bias] = [randomValues(groups, 6), randomValues(groups, 7)];
    const positions = Array.from({ length: 3 * parts }, (_, i) => values.map((of) => of[i]!)).flat();
    const { scale, shift } = groupNormAffine(positions, groups, groups, weight, bias, EPS);
    const actual = await finish(partials, groups, weight, bias, { LANES, ITEMS });
    expectClose(actual, [...scale, ...shift], { absolute: 1e-5, relative: 1e-5 });
  });

  it("weights parts by their counts, empty ones not at all", async () => {
    const [scale, shift] = await finish([3, 1, 0, 0, 0, 0, 1, 5, 0], 1, [1], [0]); // values 1, 1, 1, 5
    expectClose([scale!, shift!], [1 / Math.sqrt(3), -2 / Math.sqrt(3)], { relative: 1e-5 });
  });

  it("adds eps where there is no variance", async () => {
    expectClose(await finish([10, 2, 0], 1, [1], [0.5]), [1e3, 0.5 - 2e3], { relative: 1e-5 });
  });

  it("makes GroupNorm of a map in two bands with the statistics kernel, a large mean beside a small variance", async () => {
    const [positions, channels, groups, perPart] = [900, 8, 4, 256];
    const x = rounded(
      scalar,
      randomValues(positions * channels).map((value) => 300 + value),
    );
    const weight = randomValues(channels, 2);
    const bias = randomValues(channels, 3);
    const bands = rowRanges(positions, 600);
    const partsOf = (count: number): number => Math.ceil(count / perPart);
    const parts = bands.reduce((sum, { count }) => sum + partsOf(count), 0);
    const partials = outputWithSpare(gpu(), "f32", parts * groups * 3, 0);
    let firstPart = 0;
    for (const { first, count } of bands) {
      const band = x.subarray(first * channels, (first + count) * channels);
      await runKernel(gpu(), groupNormStatistics, {
        bindings: { x: upload(gpu(), scalar, [count, channels], band), partials },
        parameters: {
          positions: count,
          channels,
          groups,
          parts: partsOf(count),
          first_part: firstPart,
          positions_per_part: perPart,
        },
        scalar,
        grid: [partsOf(count), groups],
      });
      firstPart += partsOf(count);
    }
    const affine = await finish([...(await download(gpu(), partials))], groups, weight, bias);
    const expected = groupNormAffine(x, channels, groups, weight, bias, EPS);
    expectClose(affine, [...expected.scale, ...expected.shift], { relative: 1e-4, absolute: 1e-3 });
  });
});

/** Positions of the parts before `part`. */
function sumOfSizes(part: number): number {
  let sum = 0;
  for (let i = 0; i < part; i++) sum += (i % 3) + 1;
  return sum;
}
