import { describe, it } from "vitest";
import { operatorOf, everyOperator } from "../../runtime/backend/operators.ts";
import { dawnGpu } from "../../runtime/node/dawn.ts";
import type { Matrix, WeightFormat } from "../../runtime/backend/matrix.ts";
import { sharedTilesFor, tileOf } from "../../runtime/backend/wgsl/tiles.ts";
import { WgslBackend } from "../../runtime/backend/wgsl/wgsl-backend.ts";
import { kernelConversion } from "../../runtime/weights/loader/kernel-layout.ts";
import { quantizeRows } from "../../runtime/weights/quantize.ts";
import { convolve, linear } from "../reference/dense.ts";
import { dequantize } from "../reference/quantize.ts";
import { expectClose, randomValues } from "../support/compare.ts";
import { download, rounded, SCALARS, upload, useGpu } from "../support/gpu.ts";

const TOLERANCE = {
  f32: { absolute: 1e-4, relative: 1e-5 },
  f16: { absolute: 4e-2, relative: 1e-2 }, // 32 products of size 1 are summed in f16
} as const;
const FULL = process.env["KLEINBILD_FULL"] === "1";
const COLUMNS = 96;
/** More than any tile, so that it has its full size. */
const LARGE = 1000;

/** In f16, the largest stands for all except in the full run: a software adapter compiles each for seconds. */
const adapter = await (await dawnGpu()).requestAdapter();
const TILES = SCALARS.flatMap((scalar) => {
  const tiles = sharedTilesFor(adapter!.limits, scalar);
  return (scalar === "f32" || FULL ? tiles : tiles.slice(-1)).map((name) => ({ name, scalar }));
});

describe.each(TILES)("the shared tile $name in $scalar", ({ name, scalar }) => {
  const gpu = useGpu();
  const backend = (): WgslBackend => new WgslBackend(gpu(), scalar, everyOperator(name));
  const tile = tileOf(name, LARGE, LARGE);

  /** A matrix of random values, and the values that the GPU sees. */
  function randomMatrix(format: WeightFormat, out: number): [Matrix, Float32Array] {
    const matrix = { name: "test", out, in: COLUMNS, format };
    const piece = { firstRow: 0, rows: out };
    const random = randomValues(out * COLUMNS, 5);
    if (format === "f32" || format === "f16") {
      const values = upload(gpu(), scalar, [out, COLUMNS], random);
      return [{ ...matrix, pieces: [{ ...piece, values }] }, rounded(scalar, random)];
    }
    const bits = format === "q4" ? 4 : 8;
    const { packed, scales } = quantizeRows(random, out, COLUMNS, bits);
    const values = gpu().memory.tensor("activations", "codes", "u8", [out, COLUMNS / 32, 4 * bits]);
    gpu().recorder.write(values, packed);
    const onGpu = { ...piece, values, scales: upload(gpu(), scalar, [scales.length], scales) };
    return [{ ...matrix, pieces: [onGpu] }, dequantize(packed, rounded(scalar, scales), out, COLUMNS, bits)];
  }

  describe.each([scalar, "q8", "q4"] as const)("with %s weights", (format) => {
    it.each([
      [tile.rows - 1, tile.outs + 4],
      [tile.rows + 1, tile.outs - 4],
      [2 * tile.rows, tile.outs],
      [30, 8], // tiles of fewer lanes than a step has quads
      [5, 20],
      [1, 4],
    ])("multiplies %i rows to %i columns", async (rows, out) => {
      using scope = gpu().memory.scope();
      const x = rounded(scalar, randomValues(rows * COLUMNS));
      const [matrix, values] = randomMatrix(format, out);
      const output = scope.tensor("output", scalar, [rows, out]);
      const input = upload(gpu(), scalar, [rows, COLUMNS], x);
      await gpu().checked(`${name} for ${operatorOf(format)}`, () =>
        backend().linear(scope, { x: input, weights: [matrix], outputs: [output] }),
      );
      expectClose(await download(gpu(), output), linear(x, values, rows, COLUMNS, out), TOLERANCE[scalar]);
    });
  });

  it.each([tile.outs - 1, tile.outs + 3])("convolves to %i channels", async (out) => {
    using scope = gpu().memory.scope();
    const [height, width, channels] = [17, 9, 20]; // 135 rows
    const geometry = { stride: 1, padLeft: 1, padRight: 1 } as const;
    const x = rounded(scalar, randomValues(height * width * channels));
    const weight = rounded(scalar, randomValues(out * channels * 9, 3));
    const bias = rounded(scalar, randomValues(out, 4));
    const expected = convolve(x, height, width, weight, bias, 3, geometry);
    const { shape, convert } = kernelConversion([out, channels, 3], backend().kernelLayout);
    const kernel = {
      name: "test",
      out,
      in: channels,
      size: 3,
      weight: upload(gpu(), scalar, shape, convert(weight)),
      bias: upload(gpu(), scalar, [out], bias),
    };
    const output = scope.tensor("output", scalar, [1, expected.height, expected.width, out]);
    const input = upload(gpu(), scalar, [1, height, width, channels], x);
    await gpu().checked(name, () => backend().convolve(scope, { x: input, weight: kernel, ...geometry, output }));
    expectClose(await download(gpu(), output), expected.values, TOLERANCE[scalar]);
  });
});
