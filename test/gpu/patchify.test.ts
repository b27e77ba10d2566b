import { describe, expect, it } from "vitest";
import { patchify } from "../../kernels/index.ts";
import { rowRanges } from "../../runtime/gpu/tensor.ts";
import { patchify as reference } from "../reference/features.ts";
import { expectClose, randomValues } from "../support/compare.ts";
import { rounded, SCALARS, upload, useGpu } from "../support/gpu.ts";
import { downloadWithSpare, outputWithSpare, repeated, runKernel, twoRowGrid, UNTOUCHED } from "../support/kernels.ts";

describe.each(SCALARS)("patchify in %s", (scalar) => {
  const gpu = useGpu();

  for (const [height, width, channels, latentChannels, rowsPerBand] of [
    [2, 2, 1, 1, 2],
    [2, 2, 5, 3, 2],
    [2, 32, 2, 1, 2],
    [6, 4, 8, 4, 6],
    [6, 10, 6, 3, 2],
    [10, 6, 14, 7, 4],
    [4, 34, 32, 16, 4],
  ] as const)
    it(`makes tokens of ${latentChannels} of ${channels} channels, ${height} x ${width} in bands of ${rowsPerBand} rows`, async () => {
      const x = rounded(scalar, randomValues(height * width * channels));
      const patchChannels = 4 * latentChannels;
      const means = randomValues(patchChannels, 2);
      const reciprocals = randomValues(patchChannels, 3).map((value) => 2 + value);
      const statistics = upload(gpu(), "f32", [2, patchChannels], [...means, ...reciprocals]);
      const count = height * width * latentChannels;
      const tokens = outputWithSpare(gpu(), "f32", count);
      for (const { first, count: rows } of rowRanges(height, rowsPerBand)) {
        const band = x.subarray(first * width * channels, (first + rows) * width * channels);
        await runKernel(gpu(), patchify, {
          bindings: { x: upload(gpu(), scalar, [1, rows, width, channels], band), statistics, tokens },
          parameters: { width, first_row: first, rows, channels, latent_channels: latentChannels },
          scalar,
          grid: twoRowGrid(patchify, rows * width * latentChannels),
        });
      }
      const actual = await downloadWithSpare(gpu(), tokens, count);
      const expected = reference(x, { height, width, channels }, latentChannels, means, reciprocals);
      expectClose(actual.values, expected, { absolute: 1e-6, relative: 1e-6 });
      expect(actual.spare).toEqual(repeated(UNTOUCHED, 7));
    });

  it("writes the tokens of its band only", async () => {
    const statistics = upload(gpu(), "f32", [2, 4], [0, 0, 0, 0, 1, 1, 1, 1]);
    const tokens = outputWithSpare(gpu(), "f32", 12, 0); // three patches, one below the other
    await runKernel(gpu(), patchify, {
      bindings: { x: upload(gpu(), scalar, [1, 2, 2, 1], [1, 2, 3, 4]), statistics, tokens },
      parameters: { width: 2, first_row: 2, rows: 2, channels: 1, latent_channels: 1 },
      scalar,
      grid: [1],
    });
    const untouched = repeated(UNTOUCHED, 4);
    expect([...(await downloadWithSpare(gpu(), tokens, 12)).values]).toEqual([...untouched, 1, 2, 3, 4, ...untouched]);
  });
});
