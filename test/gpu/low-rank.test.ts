import { describe, expect, it } from "vitest";
import { BACKENDS } from "../../runtime/backend/backend.ts";
import type { LowRank, Matrix, MatrixPiece } from "../../runtime/backend/matrix.ts";
import type { MemoryScope } from "../../runtime/gpu/memory.ts";
import type { ScalarType, Tensor } from "../../runtime/gpu/tensor.ts";
import { quantizeRows } from "../../runtime/weights/quantize.ts";
import { layerNorm, linear, silu } from "../reference/dense.ts";
import { dequantize } from "../reference/quantize.ts";
import { useBackend } from "../support/dense-backends.ts";
import { expectClose, randomValues } from "../support/compare.ts";
import { download, rounded, SCALARS, upload, useGpu } from "../support/gpu.ts";

const TOLERANCE = {
  f32: { absolute: 1e-4, relative: 1e-5 },
  f16: { absolute: 4e-2, relative: 1e-2 }, // accumulated in f16
} as const;
/** Each rank compiles sessions of its own, which takes minutes on a software GPU: one odd rank unless all are asked for. */
const FULL = process.env["KLEINBILD_FULL"] === "1";
const RANKS = FULL ? [1, 3, 4, 16, 17] : [5];
const ROWS = 5;

/** A matrix on the GPU, and W + up · down on the host. */
interface Adapted {
  readonly matrix: Matrix;
  readonly merged: Float64Array;
}

interface AdaptedOptions {
  readonly format?: "q4" | "q8";
  readonly rowsPerPiece?: number;
  readonly seed?: number;
  readonly bias?: boolean;
}

/** So do the types. */
const CASES = BACKENDS.flatMap((name) => SCALARS.map((scalar) => [name, scalar] as const)).filter(
  ([name, scalar]) => FULL || name !== "ort" || scalar === "f32",
);

describe.each(CASES)("low-rank changes on the backend %s in %s", (name, scalar) => {
  const gpu = useGpu();
  const backend = useBackend(name, gpu, scalar);
  const scope = (): MemoryScope => gpu().memory.scope();

  const tensor = (dtype: ScalarType, shape: readonly number[]): Tensor =>
    gpu().memory.tensor("activations", "test output", dtype, shape);

  function stored(
    out: number,
    columns: number,
    values: Float32Array,
    format?: "q4" | "q8",
  ): [MatrixPiece, Float32Array] {
    const piece = { firstRow: 0, rows: out };
    if (!format) return [{ ...piece, values: upload(gpu(), scalar, [out, columns], values) }, rounded(scalar, values)];
    const bits = format === "q4" ? 4 : 8;
    const { packed, scales } = quantizeRows(Float32Array.from(values), out, columns, bits);
    const codes = gpu().memory.tensor("activations", "codes", "u8", [out, columns / 32, 4 * bits]);
    gpu().recorder.write(codes, packed);
    const onGpu = { ...piece, values: codes, scales: upload(gpu(), scalar, [scales.length], scales) };
    return [onGpu, dequantize(packed, rounded(scalar, scales), out, columns, bits)];
  }

  /** Rank 0 is a matrix without a change. */
  function adapted(out: number, columns: number, rank: number, options: AdaptedOptions = {}): Adapted {
    const { format, rowsPerPiece = out, seed = 3, bias = false } = options;
    const base = randomValues(out * columns, seed);
    const down = rounded(
      scalar,
      randomValues(rank * columns, seed + 1).map((value) => value / 4),
    );
    const up = rounded(
      scalar,
      randomValues(out * rank, seed + 2).map((value) => value / 2),
    );
    const merged = new Float64Array(out * columns);
    const padded = Math.ceil(rank / 4) * 4;
    const paddedDown = new Float32Array(padded * columns);
    paddedDown.set(down);
    const downTensor = rank === 0 ? undefined : upload(gpu(), scalar, [padded, columns], paddedDown);
    const pieces: MatrixPiece[] = [];
    for (let firstRow = 0; firstRow < out; firstRow += rowsPerPiece) {
      const rows = Math.min(rowsPerPiece, out - firstRow);
      const slice = base.subarray(firstRow * columns, (firstRow + rows) * columns);
      const [piece, values] = stored(rows, columns, slice, format);
      merged.set(values, firstRow * columns);
      const upSlice = new Float32Array(rows * padded);
      for (let row = 0; row < rows; row++)
        upSlice.set(up.subarray((firstRow + row) * rank, (firstRow + row + 1) * rank), row * padded);
      const lowRank: LowRank | undefined = downTensor && {
        rank: padded,
        down: downTensor,
        up: upload(gpu(), scalar, [rows, padded], upSlice),
      };
      pieces.push({
        ...piece,
        firstRow,
        ...(lowRank ? { lowRank } : {}),
        ...(bias ? { bias: upload(gpu(), scalar, [rows], new Float32Array(rows).fill(0.5)) } : {}),
      });
    }
    for (let row = 0; row < out; row++)
      for (let column = 0; column < columns; column++)
        for (let r = 0; r < rank; r++)
          merged[row * columns + column]! += up[row * rank + r]! * down[r * columns + column]!;
    return { matrix: { name: "test", out, in: columns, format: format ?? scalar, pieces }, merged };
  }

  for (const rank of RANKS)
    it(`are added to a product, rank ${rank}`, async () => {
      for (const rows of [1, ROWS, 33]) {
        const x = rounded(scalar, randomValues(rows * 64));
        const { matrix, merged } = adapted(40, 64, rank);
        const output = tensor(scalar, [rows, 40]);
        const input = upload(gpu(), scalar, [rows, 64], x);
        await (await backend()).linear(scope(), { x: input, weights: [matrix], outputs: [output] });
        expectClose(await download(gpu(), output), linear(x, merged, rows, 64, 40), TOLERANCE[scalar]);
      }
    });

  it("are added behind a norm, each matrix of one run with a rank of its own or none, beside a bias", async () => {
    const x = Float32Array.from(randomValues(ROWS * 64), (value) => value * 20 + 3);
    const scale = randomValues(64, 3);
    const shift = randomValues(64, 4);
    const norm = {
      kind: "layer",
      scale: upload(gpu(), "f32", [64], scale),
      shift: upload(gpu(), "f32", [64], shift),
      eps: 1e-6,
    } as const;
    const all = [
      adapted(32, 64, 5, { seed: 10 }),
      adapted(32, 64, 0, { seed: 20 }),
      adapted(48, 64, 2, { seed: 30, bias: true }),
    ];
    const outputs = all.map(({ matrix }) => tensor("f32", [ROWS, matrix.out]));
    const matrices = all.map(({ matrix }) => matrix);
    const input = upload(gpu(), "f32", [ROWS, 64], x);
    await (await backend()).linear(scope(), { x: input, norm, weights: matrices, outputs });
    const normed = layerNorm(x, scale, shift, 1e-6);
    for (const [i, { matrix, merged }] of all.entries()) {
      const bias = new Float32Array(matrix.out).fill(i === 2 ? 0.5 : 0);
      const expected = linear(normed, merged, ROWS, 64, matrix.out, bias);
      expectClose(await download(gpu(), outputs[i]!), expected, TOLERANCE[scalar]);
    }
  });

  it("of two ranks on matrices of one shape do not share a session", async () => {
    const x = rounded(scalar, randomValues(ROWS * 32));
    for (const rank of [2, 0, 6, 2]) {
      const { matrix, merged } = adapted(16, 32, rank, { seed: 40 + rank });
      const output = tensor(scalar, [ROWS, 16]);
      const input = upload(gpu(), scalar, [ROWS, 32], x);
      await (await backend()).linear(scope(), { x: input, weights: [matrix], outputs: [output] });
      expectClose(await download(gpu(), output), linear(x, merged, ROWS, 32, 16), TOLERANCE[scalar]);
    }
  });

  for (const format of ["q8", "q4"] as const)
    for (const rank of RANKS)
      it(`stay in the scalar type beside ${format} weights, rank ${rank}`, async () => {
        const x = rounded(scalar, randomValues(ROWS * 64));
        for (const rowsPerPiece of [48, 20]) {
          const { matrix, merged } = adapted(48, 64, rank, { format, rowsPerPiece });
          const output = tensor(scalar, [ROWS, 48]);
          const input = upload(gpu(), scalar, [ROWS, 64], x);
          await (await backend()).linear(scope(), { x: input, weights: [matrix], outputs: [output] });
          expectClose(await download(gpu(), output), linear(x, merged, ROWS, 64, 48), TOLERANCE[scalar]);
        }
      });

  for (const upScale of [1, 1 / 8])
    for (const [gateRank, upRank] of [
      [4, 4],
      [3, 0],
      [0, 3],
      [1, 16],
    ] as const)
      it(`of ranks ${gateRank} and ${upRank} take part in SwiGLU, up scaled by ${upScale}`, async () => {
        const x = rounded(scalar, randomValues(ROWS * 32));
        for (const rowsPerPiece of [40, 16]) {
          const gate = adapted(40, 32, gateRank, { rowsPerPiece, seed: 50 });
          const up = adapted(40, 32, upRank, { rowsPerPiece, seed: 60 });
          const output = tensor(scalar, [ROWS, 40]);
          const input = upload(gpu(), scalar, [ROWS, 32], x);
          const matrices = { gate: gate.matrix, up: up.matrix };
          await (await backend()).swiglu(scope(), { x: input, ...matrices, upScale, output });
          const ups = linear(x, up.merged, ROWS, 32, 40);
          const gates = linear(x, gate.merged, ROWS, 32, 40);
          const expected = gates.map((value, i) => silu(value) * ups[i]! * upScale);
          expectClose(await download(gpu(), output), expected, TOLERANCE[scalar]);
        }
      });

  it("take part in sums of products, with one of them or with both", async () => {
    const a = rounded(scalar, randomValues(ROWS * 32));
    const b = rounded(scalar, randomValues(ROWS * 96, 7));
    for (const ranks of [
      [4, 0],
      [0, 5],
      [4, 5],
    ] as const)
      for (const rowsPerPiece of [20, 12]) {
        const first = adapted(20, 32, ranks[0], { rowsPerPiece, seed: 70 });
        const second = adapted(20, 96, ranks[1], { rowsPerPiece, seed: 80 });
        const output = tensor("f32", [ROWS, 20]);
        const terms = [
          { x: upload(gpu(), scalar, [ROWS, 32], a), weight: first.matrix },
          { x: upload(gpu(), scalar, [ROWS, 96], b), weight: second.matrix },
        ];
        await (await backend()).residualLinear(scope(), { terms, hidden: output });
        const rest = linear(b, second.merged, ROWS, 96, 20);
        const expected = linear(a, first.merged, ROWS, 32, 20).map((value, i) => value + rest[i]!);
        expectClose(await download(gpu(), output), expected, TOLERANCE[scalar]);
      }
  });

  it("that overflow the scalar type give values that are not finite, so that they are noticed", async () => {
    const size = scalar === "f16" ? 60_000 : 3e38;
    const matrix: Matrix = {
      name: "test",
      out: 4,
      in: 32,
      format: scalar,
      pieces: [
        {
          firstRow: 0,
          rows: 4,
          values: upload(gpu(), scalar, [4, 32], new Float32Array(128)),
          lowRank: {
            rank: 4,
            down: upload(gpu(), scalar, [4, 32], new Float32Array(4 * 32).fill(1)),
            up: upload(gpu(), scalar, [4, 4], new Float32Array(16).fill(size)),
          },
        },
      ],
    };
    const output = tensor(scalar, [1, 4]);
    const x = upload(gpu(), scalar, [1, 32], new Float32Array(32).fill(1));
    await (await backend()).linear(scope(), { x, weights: [matrix], outputs: [output] });
    for (const value of await download(gpu(), output)) expect(Number.isFinite(value)).toBe(false);
  });
});
