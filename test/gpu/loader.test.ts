import { describe, expect, it } from "vitest";
import type { Matrix, WeightFormat } from "../../runtime/backend/matrix.ts";
import type { Gpu } from "../../runtime/gpu/device.ts";
import {
  BYTES_PER_ELEMENT,
  elementCount,
  type ScalarType,
  type Tensor,
  tensorBytes,
} from "../../runtime/gpu/tensor.ts";
import { f16ToF32, f32ToF16 } from "../../runtime/weights/float.ts";
import { type MatrixSource, WINDOW_BYTES } from "../../runtime/weights/loader/matrix-windows.ts";
import { type LoaderOptions, WeightLoader } from "../../runtime/weights/loader/weight-loader.ts";
import { quantizeRows } from "../../runtime/weights/quantize.ts";
import type { ModelFile } from "../../runtime/weights/sources/model-source.ts";
import { randomValues as anyValues } from "../support/compare.ts";
import { download, SCALARS, useGpu } from "../support/gpu.ts";
import { MemorySource, safetensorsFile, type TestTensor } from "../support/model-files.ts";
import { openPartFolder } from "../support/part-folder.ts";

const LIMIT_BYTES = 4096;
/** Where a matrix of these columns has its first window boundary, unless its pieces are smaller. */
const WIDE = 2 ** 18 - 32;
const WINDOW_ROWS = 8;
const BITS = { q8: 8, q4: 4 } as const;

/** Counts what is read. */
class CountingSource extends MemorySource {
  bytesRead = 0;

  override async open(path: string): Promise<ModelFile> {
    const file = await super.open(path);
    return {
      size: file.size,
      read: (offset, length, signal) => {
        this.bytesRead += length;
        return file.read(offset, length, signal);
      },
    };
  }
}

const randomValues = (count: number, seed?: number): Float32Array<ArrayBuffer> =>
  Float32Array.from(anyValues(count, seed));

interface Loading {
  readonly loader: WeightLoader;
  readonly source: CountingSource;
  /** What `onBytes` was called with. */
  readonly reported: number[];
}

const f32 = (shape: readonly number[], data: Float32Array<ArrayBuffer>) =>
  ({ dtype: "F32", shape, data }) satisfies TestTensor;

async function loading(
  gpu: Gpu,
  tensors: Readonly<Record<string, TestTensor>>,
  options: Pick<LoaderOptions, "scalar"> & Partial<LoaderOptions>,
): Promise<Loading> {
  const source = new CountingSource({ "part/model.safetensors": safetensorsFile(tensors) });
  const store = await openPartFolder(source, "part");
  source.bytesRead = 0; // the header
  const reported: number[] = [];
  const onBytes = (bytes: number): void => {
    reported.push(bytes);
    options.onBytes?.(bytes);
  };
  const loader = new WeightLoader({ gpu, store, part: "transformer", quantization: "none", ...options, onBytes });
  return { loader, source, reported };
}

/** The index of the first value that differs, or −1; `toEqual` is slow for millions. */
function firstDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) if (!Object.is(actual[i], expected[i])) return i;
  return -1;
}

/** Rows `first … first + count − 1` and columns `firstColumn …` of a matrix of `width` columns. */
function slice(
  values: Float32Array<ArrayBuffer>,
  width: number,
  [first, count]: readonly [number, number],
  [firstColumn, columns]: readonly [number, number] = [0, width],
): Float32Array<ArrayBuffer> {
  const part = new Float32Array(count * columns);
  for (let row = 0; row < count; row++) {
    const start = (first + row) * width + firstColumn;
    part.set(values.subarray(start, start + columns), row * columns);
  }
  return part;
}

/** What a tensor holds: values, or codes. */
async function contents(gpu: Gpu, tensor: Tensor): Promise<ArrayLike<number>> {
  if (tensor.dtype !== "u8") return download(gpu, tensor);
  return new Uint8Array(await gpu.recorder.read(tensor), 0, elementCount(tensor.shape));
}

const asScalar = (scalar: ScalarType, values: Float32Array<ArrayBuffer>): Float32Array =>
  scalar === "f16" ? f16ToF32(f32ToF16(values)) : values;

async function expectTensor(
  gpu: Gpu,
  tensor: Tensor,
  dtype: ScalarType,
  shape: readonly number[],
  values: Float32Array<ArrayBuffer>,
): Promise<void> {
  expect(tensor).toMatchObject({ dtype, shape });
  expect(firstDifference(await contents(gpu, tensor), asScalar(dtype, values))).toBe(-1);
}

/** What a piece of `rows` rows should hold. */
function expectedPiece(format: WeightFormat, scalar: ScalarType, values: Float32Array<ArrayBuffer>, rows: number) {
  const columns = values.length / rows;
  if (format === "f32" || format === "f16")
    return { dtype: format, shape: [rows, columns], values: asScalar(format, values), scales: [] };
  const { packed, scales } = quantizeRows(values, rows, columns, BITS[format]);
  const shape = [rows, columns / 32, 4 * BITS[format]];
  return { dtype: "u8", shape, values: packed, scales: asScalar(scalar, scales) };
}

/** The pieces of a matrix hold `values` [out, in] in its format, in order and without gaps. */
async function expectMatrix(
  gpu: Gpu,
  scalar: ScalarType,
  matrix: Matrix,
  values: Float32Array<ArrayBuffer>,
): Promise<void> {
  const { format, in: columns, out, pieces } = matrix;
  expect(values).toHaveLength(out * columns);
  let next = 0;
  for (const { firstRow, rows, values: stored, scales } of pieces) {
    expect(firstRow).toBe(next);
    next += rows;
    const expected = expectedPiece(format, scalar, slice(values, columns, [firstRow, rows]), rows);
    expect(stored).toMatchObject({ dtype: expected.dtype, shape: expected.shape });
    expect(firstDifference(await contents(gpu, stored), expected.values)).toBe(-1);
    expect(scales?.dtype).toBe(expected.scales.length > 0 ? scalar : undefined);
    expect(firstDifference(scales ? await contents(gpu, scales) : [], expected.scales)).toBe(-1);
  }
  expect(next).toBe(out);
}

const currentBytes = (gpu: Gpu): number => gpu.memory.report().currentBytes;

describe.each(SCALARS)("WeightLoader to %s, bindings limited", (scalar) => {
  const gpu = useGpu({ maxBindingBytes: LIMIT_BYTES });
  const rowBytes = (columns: number, quantization: "none" | "q8" | "q4"): number =>
    quantization === "none" ? columns * BYTES_PER_ELEMENT[scalar] : (columns * BITS[quantization]) / 8;

  for (const quantization of ["none", "q8", "q4"] as const) {
    const columns = 96;
    const perPiece = Math.floor(LIMIT_BYTES / rowBytes(columns, quantization) / 4) * 4;
    for (const rows of [1, perPiece - 1, perPiece, perPiece + 1, 2 * perPiece, 2 * perPiece + 1])
      it(`cuts ${rows} rows with quantization ${quantization} into pieces of at most ${perPiece}, with their bias`, async () => {
        const values = randomValues(rows * columns, rows);
        const bias = randomValues(rows, 3);
        const tensors = { w: f32([rows, columns], values), b: f32([rows], bias) };
        const { loader, reported } = await loading(gpu(), tensors, { scalar, quantization });
        const matrix = await gpu().checked("load", () =>
          loader.matrix({ name: "w", shape: [rows, columns], bias: "b" }),
        );
        expect(matrix).toMatchObject({ name: "w", out: rows, in: columns });
        expect(matrix.format).toBe(quantization === "none" ? scalar : quantization);
        expect(matrix.pieces).toHaveLength(Math.ceil(rows / perPiece));
        await expectMatrix(gpu(), scalar, matrix, values);
        for (const piece of matrix.pieces) {
          await expectTensor(gpu(), piece.bias!, scalar, [piece.rows], slice(bias, 1, [piece.firstRow, piece.rows]));
        }
        expect(reported.reduce((sum, bytes) => sum + bytes)).toBe(4 * rows * (columns + 1));
        loader.dispose();
      });
  }

  it("takes a row of just the limit, and refuses one above it", async () => {
    const columns = LIMIT_BYTES / BYTES_PER_ELEMENT[scalar];
    const values = randomValues(2 * columns);
    const fitting = await loading(gpu(), { w: f32([2, columns], values) }, { scalar });
    const matrix = await gpu().checked("load", () => fitting.loader.matrix({ name: "w", shape: [2, columns] }));
    expect(matrix.pieces).toHaveLength(2);
    await expectMatrix(gpu(), scalar, matrix, values);
    fitting.loader.dispose();

    const { loader } = await loading(gpu(), { w: f32([1, columns + 1], randomValues(columns + 1)) }, { scalar });
    await expect(loader.matrix({ name: "w", shape: [1, columns + 1] })).rejects.toMatchObject({
      code: "invalid-shape",
    });
    loader.dispose();
  });

  it("cuts aligned matrices at the rows that the widest one needs", async () => {
    const [narrow, wide] = [64, 160];
    const perPiece = Math.floor(LIMIT_BYTES / rowBytes(wide, "none") / 4) * 4;
    const rows = 2 * perPiece + 1;
    const tensors = {
      a: f32([rows, narrow], randomValues(rows * narrow, 1)),
      b: f32([rows, wide], randomValues(rows * wide, 2)),
    };
    // b stays as it is, and so has the longer rows
    for (const quantization of ["none", "q4"] as const) {
      const { loader } = await loading(gpu(), tensors, { scalar, quantization });
      const [a, b] = await gpu().checked("load", () =>
        loader.aligned([
          { name: "a", shape: [rows, narrow] },
          { name: "b", shape: [rows, wide], quantize: false },
        ]),
      );
      for (const { pieces } of [a!, b!])
        expect(pieces.map(({ rows: count }) => count)).toEqual([perPiece, perPiece, 1]);
      expect([a!.format, b!.format]).toEqual([quantization === "none" ? scalar : quantization, scalar]);
      await expectMatrix(gpu(), scalar, a!, tensors.a.data);
      await expectMatrix(gpu(), scalar, b!, tensors.b.data);
      loader.dispose();
    }
  });

  it("takes parts by rows as matrices of their own, with the part of the bias", async () => {
    const [rows, columns] = [150, 64];
    const values = randomValues(rows * columns, 5);
    const bias = randomValues(rows, 6);
    const { loader } = await loading(gpu(), { w: f32([rows, columns], values), b: f32([rows], bias) }, { scalar });
    for (const part of [
      [0, 1],
      [0, 75],
      [75, 75],
      [149, 1],
    ] as const) {
      const matrix = await gpu().checked("load", () =>
        loader.matrix({ name: "w", shape: [rows, columns], rows: part, bias: "b" }),
      );
      expect(matrix.out).toBe(part[1]);
      await expectMatrix(gpu(), scalar, matrix, slice(values, columns, part));
      for (const piece of matrix.pieces)
        await expectTensor(
          gpu(),
          piece.bias!,
          scalar,
          [piece.rows],
          slice(bias, 1, [part[0] + piece.firstRow, piece.rows]),
        );
    }
    loader.dispose();
  });

  for (const quantization of ["none", "q8", "q4"] as const)
    it(`takes parts by columns, quantization ${quantization}, and reads their rows once`, async () => {
      const [rows, columns] = [90, 160];
      const values = randomValues(rows * columns, 8);
      const parts = [
        [0, 32],
        [32, 128],
      ] as const;
      const tensors = { w: f32([rows, columns], values) };
      const { loader, source, reported } = await loading(gpu(), tensors, { scalar, quantization });
      const matrices = await gpu().checked("load", () =>
        loader.aligned(parts.map((part): MatrixSource => ({ name: "w", shape: [rows, columns], columns: part }))),
      );
      for (const [i, matrix] of matrices.entries()) {
        expect(matrix.in).toBe(parts[i]![1]);
        expect(matrix.pieces.length).toBeGreaterThan(1);
        await expectMatrix(gpu(), scalar, matrix, slice(values, columns, [0, rows], parts[i]));
      }
      expect(source.bytesRead).toBe(4 * rows * columns);
      expect(reported.reduce((sum, bytes) => sum + bytes)).toBe(4 * rows * columns);
      loader.dispose();
    });

  for (const columns of [31, 32, 33])
    it(`quantizes ${columns} columns only if they are whole blocks`, async () => {
      const values = randomValues(3 * columns, 9);
      const { loader } = await loading(gpu(), { w: f32([3, columns], values) }, { scalar, quantization: "q8" });
      const matrix = await gpu().checked("load", () => loader.matrix({ name: "w", shape: [3, columns] }));
      expect(matrix.format).toBe(columns === 32 ? "q8" : scalar);
      await expectMatrix(gpu(), scalar, matrix, values);
      loader.dispose();
    });

  it("refuses a matrix and a bias of other shapes than the config's, before it allocates", async () => {
    const tensors = { w: f32([4, 8], randomValues(32)), b: f32([4], randomValues(4)) };
    const { loader } = await loading(gpu(), tensors, { scalar });
    const before = currentBytes(gpu());
    await expect(loader.matrix({ name: "w", shape: [8, 4] })).rejects.toMatchObject({ code: "invalid-model" });
    await expect(loader.matrix({ name: "w", shape: [4, 8], bias: "w" })).rejects.toMatchObject({
      code: "invalid-model",
    });
    await expect(loader.matrix({ name: "v", shape: [4, 8] })).rejects.toMatchObject({ code: "invalid-model" });
    expect(currentBytes(gpu())).toBe(before);
  });
});

describe.each(SCALARS)("WeightLoader to %s", (scalar) => {
  const gpu = useGpu();

  it("has windows of the rows that these tests expect", () => {
    expect(Math.floor(WINDOW_BYTES / (4 * WIDE))).toBe(WINDOW_ROWS);
    expect(Math.floor(WINDOW_BYTES / (4 * (WIDE + 33)))).toBe(WINDOW_ROWS - 1);
  });

  for (const quantization of ["none", "q8", "q4"] as const)
    for (const rows of [WINDOW_ROWS - 1, WINDOW_ROWS, WINDOW_ROWS + 1])
      it(`fills a piece of ${rows} rows with quantization ${quantization} from windows of ${WINDOW_ROWS}`, async () => {
        const values = randomValues(rows * WIDE, rows);
        const { loader, reported } = await loading(gpu(), { w: f32([rows, WIDE], values) }, { scalar, quantization });
        const matrix = await gpu().checked("load", () => loader.matrix({ name: "w", shape: [rows, WIDE] }));
        expect(matrix.pieces).toHaveLength(1);
        await expectMatrix(gpu(), scalar, matrix, values);
        const windows = rows > WINDOW_ROWS ? [WINDOW_ROWS, rows - WINDOW_ROWS] : [rows];
        expect(reported).toEqual(windows.map((count) => count * WIDE * 4));
        loader.dispose();
      });

  it("begins windows at whole words where rows are odd", async () => {
    const columns = WIDE + 33; // 7 rows would fit
    const values = randomValues(7 * columns, 4);
    const { loader, reported } = await loading(gpu(), { w: f32([7, columns], values) }, { scalar });
    const matrix = await gpu().checked("load", () => loader.matrix({ name: "w", shape: [7, columns] }));
    await expectMatrix(gpu(), scalar, matrix, values);
    expect(reported).toEqual([6, 1].map((count) => count * columns * 4));
    loader.dispose();
  });

  it("takes parts by rows and columns across windows", async () => {
    const rows = WINDOW_ROWS + 3;
    const values = randomValues(rows * WIDE, 12);
    const { loader } = await loading(gpu(), { w: f32([rows, WIDE], values) }, { scalar });
    const part = { rows: [2, WINDOW_ROWS + 1], columns: [5, 7] } as const;
    const matrix = await gpu().checked("load", () => loader.matrix({ name: "w", shape: [rows, WIDE], ...part }));
    await expectMatrix(gpu(), scalar, matrix, slice(values, WIDE, part.rows, part.columns));
    loader.dispose();
  });

  for (const length of [1, 2, 3, 5])
    it(`loads convolutions and odd matrices of ${length} outputs`, async () => {
      const weight = randomValues(length * 3 * 3, 1);
      const bias = randomValues(length, 2);
      const tensors = {
        "conv.weight": f32([length, 1, 3, 3], weight),
        "conv.bias": f32([length], bias),
        odd: f32([length, 3], weight.slice(0, length * 3)),
      };
      const { loader } = await loading(gpu(), tensors, { scalar });
      const [conv, odd] = await gpu().checked(
        "load",
        async () =>
          [
            await loader.kernel2d("conv", length, 1, 3),
            await loader.matrix({ name: "odd", shape: [length, 3] }),
          ] as const,
      );
      expect(conv).toMatchObject({ name: "conv", out: length, in: 4, size: 3 });
      const padded = Array.from({ length }, (_, i) => [...weight.slice(9 * i, 9 * i + 9), ...new Float32Array(27)]);
      await expectTensor(gpu(), conv.weight, scalar, [length, 4, 3, 3], Float32Array.from(padded.flat()));
      await expectTensor(gpu(), conv.bias, scalar, [length], bias);
      await expectMatrix(gpu(), scalar, odd, weight.slice(0, length * 3));
      loader.dispose();
    });

  it("keeps vectors in f32, alone, as rows of one tensor, and on the host", async () => {
    const [a, b] = [randomValues(5, 1), randomValues(5, 2)];
    const { loader } = await loading(gpu(), { a: f32([5], a), b: f32([5], b) }, { scalar });
    const [one, both] = await gpu().checked(
      "load",
      async () => [await loader.vector("a", 5), await loader.vectors(["b", "a"], 5)] as const,
    );
    await expectTensor(gpu(), one, "f32", [5], a);
    await expectTensor(gpu(), both, "f32", [2, 5], Float32Array.of(...b, ...a));
    expect(await loader.hostVectors(["b", "a"], 5)).toEqual([b, a]);
    for (const length of [4, 6])
      await expect(loader.vector("a", length)).rejects.toMatchObject({ code: "invalid-model" });
    loader.dispose();
  });

  it("counts what it holds as the part's, and frees all of it, once", async () => {
    const tensors = {
      w: f32([3, 32], randomValues(96)),
      b: f32([3], randomValues(3)),
      "conv.weight": f32([3, 1, 1, 1], randomValues(3)),
      "conv.bias": f32([3], randomValues(3)),
    };
    const before = currentBytes(gpu());
    const { loader } = await loading(gpu(), tensors, { scalar, quantization: "q4" });
    await gpu().checked("load", async () => {
      await loader.matrix({ name: "w", shape: [3, 32], bias: "b" });
      await loader.kernel2d("conv", 3, 1, 1);
      await loader.vector("b", 3);
      loader.constant("ones", [7], new Float32Array(7).fill(1));
    });
    // scales, bias, and the convolution's, whose inputs are whole quads
    const scalars = 3 * tensorBytes(scalar, [3]) + tensorBytes(scalar, [3, 4]);
    expect(gpu().memory.report().byCategory.transformer!.currentBytes).toBe(48 + scalars + 12 + 28);
    loader.dispose();
    expect(currentBytes(gpu())).toBe(before);
    loader.dispose();
    expect(currentBytes(gpu())).toBe(before);
  });

  it("rejects with the reason of an abort between windows, and frees what it had", async () => {
    const rows = 2 * WINDOW_ROWS;
    const reason = new Error("enough");
    const controller = new AbortController();
    const before = currentBytes(gpu());
    const { loader, source, reported } = await loading(
      gpu(),
      { w: f32([rows, WIDE], new Float32Array(rows * WIDE)) },
      { scalar, signal: controller.signal, onBytes: () => controller.abort(reason) },
    );
    await expect(gpu().checked("load", () => loader.matrix({ name: "w", shape: [rows, WIDE] }))).rejects.toBe(reason);
    expect(reported).toHaveLength(1);
    expect(source.bytesRead).toBeLessThanOrEqual(4 * rows * WIDE);
    expect(currentBytes(gpu())).toBeGreaterThan(before);
    loader.dispose();
    expect(currentBytes(gpu())).toBe(before);
  });

  it("allocates no vector when the signal is aborted", async () => {
    const reason = new Error("enough");
    const before = currentBytes(gpu());
    const { loader } = await loading(
      gpu(),
      { a: f32([5], randomValues(5)) },
      {
        scalar,
        signal: AbortSignal.abort(reason),
      },
    );
    await expect(loader.vector("a", 5)).rejects.toBe(reason);
    await expect(loader.vectors(["a"], 5)).rejects.toBe(reason);
    expect(currentBytes(gpu())).toBe(before);
  });
});
