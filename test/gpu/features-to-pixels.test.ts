import { describe, expect, it } from "vitest";
import { featuresToPixels } from "../../kernels/index.ts";
import type { ScalarType } from "../../runtime/gpu/tensor.ts";
import { featuresToPixels as reference } from "../reference/features.ts";
import { randomValues } from "../support/compare.ts";
import { rounded, SCALARS, upload, uploadU32, useGpu } from "../support/gpu.ts";
import { COUNTS, repeated, runKernel, twoRowGrid } from "../support/kernels.ts";

const SPARE = [0x12345678, 0x9abcdef0];

describe.each(SCALARS)("features-to-pixels in %s", (scalar) => {
  const gpu = useGpu();

  /** RGBA bytes of features, and the words beyond them. */
  async function convert(
    dtype: ScalarType,
    features: ArrayLike<number>,
  ): Promise<{ readonly bytes: readonly number[]; readonly spare: readonly number[] }> {
    const count = features.length / 3;
    const pixels = uploadU32(gpu(), [...repeated(0x55555555, count), ...SPARE]);
    await runKernel(gpu(), featuresToPixels, {
      bindings: { x: upload(gpu(), dtype, [count, 3], features), pixels },
      parameters: { count },
      scalar: dtype,
      grid: twoRowGrid(featuresToPixels, count),
    });
    const bytes = await gpu().recorder.read(pixels);
    return { bytes: [...new Uint8Array(bytes, 0, count * 4)], spare: [...new Uint32Array(bytes, count * 4)] };
  }

  it.each(COUNTS)(
    "converts %d pixels as the reference does, some beyond −1…1, and leaves what is beyond",
    async (count) => {
      const features = rounded(
        scalar,
        randomValues(count * 3).map((value) => value * 1.3),
      );
      const { bytes, spare } = await convert(scalar, features);
      expect(bytes).toEqual(reference(features));
      expect(spare).toEqual(SPARE);
    },
  );

  it("clamps at both ends, far beyond them too", async () => {
    const { bytes } = await convert(scalar, [-1, 1, 0, -1.001, 1.001, 0, -60_000, 60_000, -0]);
    expect(bytes).toEqual([0, 255, 128, 255, 0, 255, 128, 255, 0, 255, 128, 255]);
  });

  it("gives every byte at its own feature value", async () => {
    const features = Array.from({ length: 256 * 3 }, (_, i) => (2 * (i % 256)) / 255 - 1);
    const { bytes } = await convert(scalar, features);
    expect(bytes.filter((_, i) => i % 4 !== 3)).toEqual(Array.from({ length: 256 * 3 }, (_, i) => i % 256));
  });

  it("rounds halves to even and their neighbours to the nearest, as numpy does", async () => {
    // 0.5 + x / 2 = (k + 0.5) / 255 as nearly as f32 has it, and the f32 values below and above
    const halves = Array.from({ length: 255 }, (_, k) => Math.fround((2 * (k + 0.5)) / 255 - 1));
    const features = rounded(
      scalar,
      halves.flatMap((x) => [x - 1e-7, x, x + 1e-7]),
    );
    const { bytes } = await convert(scalar, features);
    expect(bytes).toEqual(reference(features));
  });

  it("meets exact halves on both sides of even", async () => {
    const products = Array.from({ length: 255 }, (_, k) => {
      const x = Math.fround((2 * (k + 0.5)) / 255 - 1);
      return Math.fround(Math.fround(Math.fround(x * 0.5) + 0.5) * 255);
    });
    const exact = products.flatMap((product, k) => (product === k + 0.5 ? [k % 2] : []));
    expect(new Set(exact)).toEqual(new Set([0, 1])); // else the test before would not tell the two roundings apart
  });
});
