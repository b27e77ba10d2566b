import { describe, expect, it } from "vitest";
import { BACKENDS, type Norm } from "../../runtime/backend/backend.ts";
import type { Matrix } from "../../runtime/backend/matrix.ts";
import type { MemoryScope } from "../../runtime/gpu/memory.ts";
import type { ScalarType, Tensor } from "../../runtime/gpu/tensor.ts";
import { WgslBackend } from "../../runtime/backend/wgsl/wgsl-backend.ts";
import { kernelConversion, upsamplingConversion } from "../../runtime/weights/loader/kernel-layout.ts";
import { quantizeRows } from "../../runtime/weights/quantize.ts";
import { convolve, layerNorm, linear, rmsNorm, silu } from "../reference/dense.ts";
import { dequantize } from "../reference/quantize.ts";
import { useBackend } from "../support/dense-backends.ts";
import { gatherRows } from "../reference/features.ts";
import { expectClose, randomValues } from "../support/compare.ts";
import { download, rounded, SCALARS, upload, useGpu } from "../support/gpu.ts";

const TOLERANCE = {
  f32: { absolute: 1e-4, relative: 1e-5 },
  f16: { absolute: 4e-2, relative: 1e-2 }, // accumulated in f16 over up to 96 products of size 1
} as const;

const CASES = BACKENDS.flatMap((name) => SCALARS.map((scalar) => [name, scalar] as const));

describe.each(CASES)("the backend %s in %s", (name, scalar) => {
  const gpu = useGpu();
  const backend = useBackend(name, gpu, scalar);
  const scope = (): MemoryScope => gpu().memory.scope();

  /** A matrix cut into pieces of `rowsPerPiece` rows, with the values that the GPU sees. */
  function plainMatrix(
    out: number,
    columns: number,
    rowsPerPiece = out,
    bias = false,
    seed = 2,
  ): [Matrix, Float32Array, Float32Array] {
    const values = rounded(scalar, randomValues(out * columns, seed));
    const biases = rounded(scalar, bias ? randomValues(out, seed + 1) : new Float32Array(out));
    const pieces = [];
    for (let firstRow = 0; firstRow < out; firstRow += rowsPerPiece) {
      const rows = Math.min(rowsPerPiece, out - firstRow);
      const slice = values.subarray(firstRow * columns, (firstRow + rows) * columns);
      const tensor = upload(gpu(), scalar, [rows, columns], slice);
      const piece = { firstRow, rows, values: tensor };
      pieces.push(
        bias ? { ...piece, bias: upload(gpu(), scalar, [rows], biases.subarray(firstRow, firstRow + rows)) } : piece,
      );
    }
    return [{ name: "test", out, in: columns, format: scalar, pieces }, values, biases];
  }

  function quantizedMatrix(out: number, columns: number, bits: 4 | 8): [Matrix, Float32Array] {
    const { packed, scales } = quantizeRows(randomValues(out * columns, 5), out, columns, bits);
    const codes = gpu().memory.tensor("activations", "codes", "u8", [out, columns / 32, 4 * bits]);
    gpu().recorder.write(codes, packed);
    const piece = { firstRow: 0, rows: out, values: codes, scales: upload(gpu(), scalar, [scales.length], scales) };
    const matrix: Matrix = { name: "test", out, in: columns, format: bits === 4 ? "q4" : "q8", pieces: [piece] };
    return [matrix, dequantize(packed, rounded(scalar, scales), out, columns, bits)];
  }

  const tensor = (dtype: ScalarType, shape: readonly number[]): Tensor =>
    gpu().memory.tensor("activations", "test output", dtype, shape);

  for (const rows of [1, 7, 33])
    it(`multiplies ${rows} rows by two matrices, one with bias`, async () => {
      const x = rounded(scalar, randomValues(rows * 96));
      const [a, aValues] = plainMatrix(40, 96);
      const [b, bValues, bias] = plainMatrix(24, 96, 24, true, 9);
      const outputs = [tensor(scalar, [rows, 40]), tensor("f32", [rows, 24])];
      for (const [i, weight] of [a, b].entries()) {
        const input = upload(gpu(), scalar, [rows, 96], x);
        await (await backend()).linear(scope(), { x: input, weights: [weight], outputs: [outputs[i]!] });
      }
      expectClose(await download(gpu(), outputs[0]!), linear(x, aValues, rows, 96, 40), TOLERANCE[scalar]);
      expectClose(await download(gpu(), outputs[1]!), linear(x, bValues, rows, 96, 24, bias), TOLERANCE[scalar]);
    });

  it("normalises before several products in one run, by LayerNorm with modulation and by RMS", async () => {
    const rows = 5;
    const x = Float32Array.from(randomValues(rows * 64), (value) => value * 20 + 3);
    const scale = randomValues(64, 3);
    const shift = randomValues(64, 4);
    const norms: readonly [Norm, Float64Array][] = [
      [
        {
          kind: "layer",
          scale: upload(gpu(), "f32", [64], scale),
          shift: upload(gpu(), "f32", [64], shift),
          eps: 1e-6,
        },
        layerNorm(x, scale, shift, 1e-6),
      ],
      [{ kind: "rms", weight: upload(gpu(), "f32", [64], scale), eps: 1e-6 }, rmsNorm(x, scale, 1e-6)],
    ];
    const [a, aValues] = plainMatrix(32, 64);
    const [b, bValues] = plainMatrix(48, 64, 48, false, 8);
    for (const [norm, normed] of norms) {
      const outputs = [tensor(scalar, [rows, 32]), tensor(scalar, [rows, 48])];
      const input = upload(gpu(), "f32", [rows, 64], x);
      await (await backend()).linear(scope(), { x: input, norm, weights: [a, b], outputs });
      expectClose(await download(gpu(), outputs[0]!), linear(normed, aValues, rows, 64, 32), TOLERANCE[scalar]);
      expectClose(await download(gpu(), outputs[1]!), linear(normed, bValues, rows, 64, 48), TOLERANCE[scalar]);
    }
  });

  it.each([4, 8] as const)("multiplies by %d-bit weights", async (bits) => {
    for (const rows of [1, 17]) {
      const x = rounded(scalar, randomValues(rows * 64));
      const [matrix, values] = quantizedMatrix(48, 64, bits);
      const output = tensor(scalar, [rows, 48]);
      const input = upload(gpu(), scalar, [rows, 64], x);
      await (await backend()).linear(scope(), { x: input, weights: [matrix], outputs: [output] });
      expectClose(await download(gpu(), output), linear(x, values, rows, 64, 48), TOLERANCE[scalar]);
    }
  });

  it.each([1, 1 / 8])(
    "multiplies the gated half of SwiGLU, up scaled by %d, in one piece and in three",
    async (upScale) => {
      const rows = 9;
      const x = rounded(scalar, randomValues(rows * 32));
      for (const rowsPerPiece of [40, 16]) {
        const [gate, gateValues] = plainMatrix(40, 32, rowsPerPiece);
        const [up, upValues] = plainMatrix(40, 32, rowsPerPiece, false, 6);
        const output = tensor(scalar, [rows, 40]);
        const input = upload(gpu(), scalar, [rows, 32], x);
        await (await backend()).swiglu(scope(), { x: input, gate, up, upScale, output });
        const ups = linear(x, upValues, rows, 32, 40);
        const expected = linear(x, gateValues, rows, 32, 40).map((value, i) => silu(value) * ups[i]! * upScale);
        expectClose(await download(gpu(), output), expected, TOLERANCE[scalar]);
      }
    },
  );

  it("adds products of inputs of different widths, in one piece and in two", async () => {
    const rows = 6;
    const a = rounded(scalar, randomValues(rows * 32));
    const b = rounded(scalar, randomValues(rows * 96, 7));
    for (const rowsPerPiece of [20, 12]) {
      const [wa, waValues] = plainMatrix(20, 32, rowsPerPiece);
      const [wb, wbValues] = plainMatrix(20, 96, rowsPerPiece, false, 4);
      const terms = [
        { x: upload(gpu(), scalar, [rows, 32], a), weight: wa },
        { x: upload(gpu(), scalar, [rows, 96], b), weight: wb },
      ];
      const second = linear(b, wbValues, rows, 96, 20);
      const sums = linear(a, waValues, rows, 32, 20).map((value, i) => value + second[i]!);
      const before = randomValues(rows * 20, 8);
      const gate = randomValues(20, 9);
      for (const gated of [false, true]) {
        const hidden = upload(gpu(), "f32", [rows, 20], before);
        const residual = { scale: 2, ...(gated && { gate: upload(gpu(), "f32", [20], gate) }) };
        await (await backend()).residualLinear(scope(), { terms, ...residual, hidden });
        const expected = sums.map((sum, i) => before[i]! + 2 * (gated ? gate[i % 20]! : 1) * sum);
        expectClose(await download(gpu(), hidden), expected, TOLERANCE[scalar]);
      }
    }
  });

  for (const [size, stride, padLeft, padRight, channels, out] of [
    [3, 1, 1, 1, 8, 16],
    [3, 2, 0, 1, 8, 8],
    [1, 1, 0, 0, 12, 20],
    [3, 1, 1, 1, 20, 3],
  ] as const)
    it(`convolves ${size}x${size} with stride ${stride}, ${channels} to ${out} channels, alone and onto a map`, async () => {
      const height = 7;
      const width = 10;
      const x = rounded(scalar, randomValues(height * width * channels));
      const weight = rounded(scalar, randomValues(out * channels * size * size, 3));
      const bias = rounded(scalar, randomValues(out, 4));
      const expected = convolve(x, height, width, weight, bias, size, { stride, padLeft, padRight });
      const before = rounded(scalar, randomValues(expected.values.length, 5));
      const { shape, convert } = kernelConversion([out, channels, size], (await backend()).kernelLayout);
      const kernel = {
        name: "test",
        out,
        in: channels,
        size,
        weight: upload(gpu(), scalar, shape, convert(weight)),
        bias: upload(gpu(), scalar, [out], bias),
      };
      const input = upload(gpu(), scalar, [1, height, width, channels], x);
      for (const accumulate of [false, true]) {
        const output = upload(gpu(), scalar, [1, expected.height, expected.width, out], before);
        const geometry = { stride, padLeft, padRight };
        await (await backend()).convolve(scope(), { x: input, weight: kernel, ...geometry, accumulate, output });
        const sums = expected.values.map((value, i) => value + (accumulate ? before[i]! : 0));
        expectClose(await download(gpu(), output), sums, TOLERANCE[scalar]);
      }
    });

  it("refuses an input of another width than the weight", async () => {
    const [matrix] = plainMatrix(8, 32);
    const call = (await backend()).linear(scope(), {
      x: upload(gpu(), scalar, [2, 16], new Float32Array(32)),
      weights: [matrix],
      outputs: [tensor(scalar, [2, 8])],
    });
    await expect(call).rejects.toMatchObject({ code: "invalid-shape" });
  });
});

describe.each(SCALARS)("upsampling folded into a convolution, in %s", (scalar) => {
  const gpu = useGpu();
  const hardware = useGpu({}, "hardware");

  for (const [height, width, channels, out] of [
    [1, 1, 4, 4],
    [3, 5, 8, 12],
    [9, 8, 4, 72],
  ] as const)
    it.each(["own", "hardware"])(
      `is the convolution of the upsampled map, ${height}x${width} with ${channels} to ${out} channels, lanes %s`,
      async (lanes) => {
        const on = lanes === "own" ? gpu() : hardware();
        const x = rounded(scalar, randomValues(height * width * channels));
        const weight = rounded(
          scalar,
          randomValues(out * channels * 9, 3).map((value) => value / 4),
        );
        const bias = rounded(scalar, randomValues(out, 4));
        const upsampled = gatherRows(x, { height, width, channels }, -1, 2 * height + 2, { upsample: true });
        const pads = { stride: 1, padLeft: 1, padRight: 1 } as const;
        const expected = convolve(upsampled, 2 * height + 2, 2 * width, weight, bias, 3, pads);
        const { shape, convert } = upsamplingConversion(out, channels);
        const kernel = {
          name: "test",
          out,
          in: channels,
          size: 2,
          upsamples: true,
          weight: upload(on, scalar, shape, convert(weight)),
          bias: upload(on, scalar, [out], bias),
        };
        const padded = gatherRows(x, { height, width, channels }, -1, height + 2, {});
        const output = upload(on, scalar, [1, 2 * height, 2 * width, out], new Float32Array(expected.values.length));
        const input = upload(on, scalar, [1, height + 2, width, channels], padded);
        await on.checked("upsampling", () =>
          new WgslBackend(on, scalar).convolve(on.memory.scope(), { x: input, weight: kernel, ...pads, output }),
        );
        expectClose(await download(on, output), expected.values, TOLERANCE[scalar]);
      },
    );
});
