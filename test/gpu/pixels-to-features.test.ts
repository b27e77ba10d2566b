import { describe, expect, it } from "vitest";
import { pixelsToFeatures } from "../../kernels/index.ts";
import { pixelsToFeatures as reference } from "../reference/features.ts";
import { expectClose } from "../support/compare.ts";
import { download, SCALARS, uploadU32, useGpu } from "../support/gpu.ts";
import {
  COUNTS,
  downloadWithSpare,
  outputWithSpare,
  repeated,
  runKernel,
  twoRowGrid,
  UNTOUCHED,
} from "../support/kernels.ts";

const TOLERANCE = { f32: { absolute: 2e-7 }, f16: { absolute: 2 ** -12 } } as const;

describe.each(SCALARS)("pixels-to-features in %s", (scalar) => {
  const gpu = useGpu();

  const upload = (rgba: Uint8Array<ArrayBuffer>) => uploadU32(gpu(), new Uint32Array(rgba.buffer));

  it.each(COUNTS)("converts %d pixels and leaves what is beyond", async (count) => {
    const rgba = Uint8Array.from({ length: (count + 2) * 4 }, (_, i) => (i * 37) % 256);
    const out = outputWithSpare(gpu(), scalar, count * 4, 8);
    await runKernel(gpu(), pixelsToFeatures, {
      bindings: { pixels: upload(rgba), out },
      parameters: { count },
      scalar,
      grid: twoRowGrid(pixelsToFeatures, count),
    });
    const actual = await downloadWithSpare(gpu(), out, count * 4);
    expectClose(actual.values, reference(rgba.subarray(0, count * 4)), TOLERANCE[scalar]);
    expect(actual.spare).toEqual(repeated(UNTOUCHED, 8));
  });

  it("takes every byte in every colour, whatever the alpha, with −1 and 1 exact at the ends", async () => {
    const rgba = Uint8Array.from({ length: 256 * 4 }, (_, i) => {
      const byte = i >> 2;
      return [byte, 255 - byte, byte ^ 0x55, byte][i & 3]!;
    });
    const out = outputWithSpare(gpu(), scalar, 256 * 4, 0);
    await runKernel(gpu(), pixelsToFeatures, {
      bindings: { pixels: upload(rgba), out },
      parameters: { count: 256 },
      scalar,
      grid: [4],
    });
    const actual = await download(gpu(), out);
    expectClose(actual, reference(rgba), TOLERANCE[scalar]);
    expect([actual[0], actual[1], actual.at(-4), actual.at(-3)]).toEqual([-1, 1, 1, -1]);
  });
});
