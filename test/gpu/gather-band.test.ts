import { describe, expect, it } from "vitest";
import { gatherBand } from "../../kernels/index.ts";
import { rowRanges, tensorBytes } from "../../runtime/gpu/tensor.ts";
import { type FeatureMap, gatherRows } from "../../runtime/vae/feature-map.ts";
import { type GatherSteps, gatherRows as reference, type MapSize } from "../reference/features.ts";
import { expectClose, randomValues } from "../support/compare.ts";
import { download, rounded, SCALARS, upload, useGpu } from "../support/gpu.ts";
import { outputWithSpare, runKernel, twoRowGrid, UNTOUCHED } from "../support/kernels.ts";

const TOLERANCE = { f32: { absolute: 2e-6, relative: 1e-5 }, f16: { absolute: 1e-5, relative: 1e-3 } } as const;

/** NORMALIZE, ACTIVATE and UPSAMPLE, off and on. */
const STEPS: readonly (readonly [normalize: boolean, activate: boolean, upsample: boolean])[] = [
  [false, false, false],
  [true, false, false],
  [false, true, false],
  [false, false, true],
  [true, true, false],
  [true, true, true],
];

describe.each(SCALARS)("gather-band in %s", (scalar) => {
  const gpu = useGpu();

  function inputs({ height, width, channels }: MapSize, rowsPerBand: number) {
    const values = rounded(scalar, randomValues(height * width * channels));
    const bands = rowRanges(height, rowsPerBand).map(({ first, count }) =>
      upload(
        gpu(),
        scalar,
        [1, count, width, channels],
        values.subarray(first * width * channels, (first + count) * width * channels),
      ),
    );
    const map: FeatureMap = { height, width, channels, rowsPerBand, bands };
    const scale = randomValues(channels, 2);
    const shift = randomValues(channels, 3);
    const affine = upload(gpu(), "f32", [2, channels], [...scale, ...shift]);
    return { values, map, affine, steps: { scale, shift } };
  }

  describe.each(STEPS)("with normalize %s, activate %s, upsample %s", (normalize, activate, upsample) => {
    for (const [height, width, channels, rowsPerBand] of [
      [2, 1, 4, 2],
      [2, 1, 64, 2],
      [6, 5, 12, 2],
      [6, 3, 20, 4],
      [7, 9, 4, 7],
    ] as const) {
      const outHeight = upsample ? 2 * height : height;
      const ranges: readonly (readonly [first: number, rows: number])[] = [
        [0, outHeight],
        [-1, outHeight + 2],
        [1, Math.max(1, outHeight - 2)],
        [outHeight - 1, 3],
      ];
      for (const [first, rows] of ranges)
        it(`gathers ${rows} rows from ${first} of ${height} x ${width} x ${channels} in bands of ${rowsPerBand}`, async () => {
          using scope = gpu().memory.scope();
          const { values, map, affine, steps } = inputs({ height, width, channels }, rowsPerBand);
          const options = { affine: normalize ? affine : undefined, activate, upsample };
          // a used buffer of the target's size, so that rows outside the map are not zero by chance
          const dirty = scope.tensor("dirty", scalar, [1, rows, upsample ? 2 * width : width, channels]);
          gpu().recorder.write(dirty, new Uint8Array(tensorBytes(scalar, dirty.shape)).fill(0x3a));
          scope.release(dirty);
          const out = await gpu().checked("gather", async () =>
            gatherRows({ recorder: gpu().recorder, scope, scalar }, map, { first, count: rows }, options),
          );
          expect(out.buffer).toBe(dirty.buffer);
          const expectedSteps: GatherSteps = { affine: normalize ? steps : undefined, activate, upsample };
          expectClose(
            await download(gpu(), out),
            reference(values, { height, width, channels }, first, rows, expectedSteps),
            TOLERANCE[scalar],
          );
        });
    }
  });

  it("writes the requested rows, and no others", async () => {
    const { values, map } = inputs({ height: 4, width: 5, channels: 4 }, 4);
    const out = outputWithSpare(gpu(), scalar, 6 * 20, 8);
    await runKernel(gpu(), gatherBand, {
      bindings: { x: map.bands[0]!, affine: map.bands[0]!, out },
      parameters: { width: 5, quads: 1, source_first: 0, out_first: -1, row_begin: 2, row_count: 2 },
      scalar,
      grid: twoRowGrid(gatherBand, 10),
    });
    const expected = new Float32Array(6 * 20 + 8).fill(UNTOUCHED);
    expected.set(values.subarray(20, 60), 40); // map rows 1 and 2 are rows 2 and 3 of a target that starts at row −1
    expect(await download(gpu(), out)).toEqual(expected);
  });

  it("stays finite where SiLU's exponential overflows", async () => {
    const values = rounded(scalar, [-60_000, -1000, -104, -89, 0, 89, 1000, 60_000]);
    const x = upload(gpu(), scalar, [1, 1, 1, 8], values);
    const out = outputWithSpare(gpu(), scalar, 8, 0);
    await runKernel(gpu(), gatherBand, {
      bindings: { x, affine: x, out },
      parameters: { width: 1, quads: 2, source_first: 0, out_first: 0, row_begin: 0, row_count: 1 },
      overrides: { ACTIVATE: 1 },
      scalar,
      grid: [1],
    });
    expectClose(await download(gpu(), out), [0, 0, 0, 0, 0, 89, 1000, values[7]!], TOLERANCE[scalar]);
  });
});
