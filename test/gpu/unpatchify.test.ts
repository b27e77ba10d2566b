import { describe, expect, it } from "vitest";
import { patchify, unpatchify } from "../../kernels/index.ts";
import { rowRanges } from "../../runtime/gpu/tensor.ts";
import { unpatchify as reference } from "../reference/features.ts";
import { expectClose, randomValues } from "../support/compare.ts";
import { download, SCALARS, upload, useGpu } from "../support/gpu.ts";
import { downloadWithSpare, outputWithSpare, repeated, runKernel, twoRowGrid, UNTOUCHED } from "../support/kernels.ts";

const TOLERANCE = { f32: { absolute: 1e-6, relative: 1e-6 }, f16: { absolute: 1e-6, relative: 2 ** -11 } } as const;

describe.each(SCALARS)("unpatchify in %s", (scalar) => {
  const gpu = useGpu();

  for (const [height, width, channels, rowsPerBand] of [
    [2, 2, 1, 2],
    [2, 2, 3, 2],
    [2, 32, 1, 2],
    [2, 66, 1, 2],
    [6, 10, 3, 2],
    [10, 6, 7, 4],
    [4, 34, 16, 4],
  ] as const)
    it(`makes latents of ${channels} channels, ${height} x ${width} in bands of ${rowsPerBand} rows`, async () => {
      const values = randomValues(height * width * channels);
      const means = randomValues(4 * channels, 2);
      const deviations = randomValues(4 * channels, 3).map((value) => 2 + value);
      const statistics = upload(gpu(), "f32", [2, 4 * channels], [...means, ...deviations]);
      const tokens = upload(gpu(), "f32", [values.length], values);
      const expected = reference(values, { height, width, channels }, means, deviations);
      for (const { first, count: rows } of rowRanges(height, rowsPerBand)) {
        const count = rows * width * channels;
        const out = outputWithSpare(gpu(), scalar, count);
        await runKernel(gpu(), unpatchify, {
          bindings: { tokens, statistics, out },
          parameters: { width, first_row: first, rows, latent_channels: channels },
          scalar,
          grid: twoRowGrid(unpatchify, count),
        });
        const actual = await downloadWithSpare(gpu(), out, count);
        const start = first * width * channels;
        expectClose(actual.values, expected.subarray(start, start + count), TOLERANCE[scalar]);
        expect(actual.spare).toEqual(repeated(UNTOUCHED, 7));
      }
    });

  it("undoes patchify", async () => {
    const size = { width: 6, first_row: 0, rows: 4, latent_channels: 3 };
    const values = Float32Array.from({ length: 72 }, (_, i) => i - 36); // exact in f16, and less 1 and halved too
    const x = upload(gpu(), scalar, [1, 4, 6, 3], values);
    const tokens = outputWithSpare(gpu(), "f32", 72, 0);
    const out = outputWithSpare(gpu(), scalar, 72, 0);
    const statistics = (deviation: number) =>
      upload(gpu(), "f32", [2, 12], [...repeated(1, 12), ...repeated(deviation, 12)]);
    await runKernel(gpu(), patchify, {
      bindings: { x, statistics: statistics(0.5), tokens },
      parameters: { ...size, channels: 3 },
      scalar,
      grid: twoRowGrid(unpatchify, 72),
    });
    await runKernel(gpu(), unpatchify, {
      bindings: { tokens, statistics: statistics(2), out },
      parameters: size,
      scalar,
      grid: twoRowGrid(unpatchify, 72),
    });
    expect(await download(gpu(), out)).toEqual(values);
  });
});
