import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KleinbildError } from "../../../runtime/errors.ts";
import type { PackedTensor, StoredTensor } from "../../../runtime/weights/formats/tensor-file.ts";
import { TensorView, type ViewPiece } from "../../../runtime/weights/names/tensor-view.ts";

const COLUMNS = 32;

/** A stored matrix whose value in row r is `base` + r in every column, also in the kernels' layout. */
function matrix(base: number, rows: number, format?: PackedTensor["format"]): StoredTensor {
  const row = (index: number, count: number, columns: number): number[] =>
    Array.from({ length: count * columns }, (_, i) => base + index + Math.floor(i / columns));
  return {
    name: `from ${base}`,
    type: "F32",
    shape: [rows, COLUMNS],
    bytes: 4 * rows * COLUMNS,
    readRows: async (first, count) => {
      if (count < 1 || first < 0 || first + count > rows) throw new KleinbildError("invalid-shape", "beyond");
      return Float32Array.from(row(first, count, COLUMNS));
    },
    ...(format && {
      packed: {
        format,
        readRows: async (first: number, count: number) => ({
          packed: Uint8Array.from(row(first, count, 16)),
          scales: Float32Array.from(row(first, count, 1)),
        }),
      },
    }),
  };
}

/** A view of rows 0, 1, 2 … whose pieces of the given lengths lie somewhere in stored matrices of their own. */
function view(lengths: readonly number[], format?: PackedTensor["format"]): TensorView {
  let firstRow = 0;
  const pieces = lengths.map((rows, i): ViewPiece => {
    const storedRow = i % 3;
    const piece = { tensor: matrix(firstRow - storedRow, storedRow + rows + 1, format), storedRow, firstRow, rows };
    firstRow += rows;
    return piece;
  });
  return new TensorView("x", [firstRow, COLUMNS], pieces);
}

const rowsOf = (first: number, count: number, columns: number): number[] =>
  Array.from({ length: count * columns }, (_, i) => first + Math.floor(i / columns));

describe("TensorView", () => {
  it("reads any range of rows out of any pieces, as f32 and as the kernels read them", async () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(lengths, fc.nat(), fc.nat(), async (sizes, a, b) => {
        const tensor = view(sizes, "q4");
        const first = a % (tensor.rows + 1);
        const count = b % (tensor.rows - first + 1);
        expect([...(await tensor.readRows(first, count))]).toEqual(rowsOf(first, count, COLUMNS));
        const { packed, scales } = await tensor.readPacked(first, count);
        expect([...packed]).toEqual(rowsOf(first, count, 16));
        expect([...scales]).toEqual(rowsOf(first, count, 1));
      }),
    );
  });

  it("swaps halves", async () => {
    const tensor = matrix(0, 4, "q8");
    const swapped = new TensorView(
      "x",
      [4, COLUMNS],
      [
        { tensor, storedRow: 2, firstRow: 0, rows: 2 },
        { tensor, storedRow: 0, firstRow: 2, rows: 2 },
      ],
    );
    expect([...(await swapped.readPacked(1, 2)).scales]).toEqual([3, 0]);
    expect([...(await swapped.readPacked(0, 4)).scales]).toEqual([2, 3, 0, 1]);
  });

  it("counts the bytes of its own rows only", () => {
    expect(view([2, 3]).bytes).toBe(4 * 5 * COLUMNS);
  });

  it("is packed only where all of its pieces are, in one format", async () => {
    const piece = (format: PackedTensor["format"] | undefined, firstRow: number): ViewPiece => ({
      tensor: matrix(0, 1, format),
      storedRow: 0,
      firstRow,
      rows: 1,
    });
    const formatOf = (...formats: (PackedTensor["format"] | undefined)[]): PackedTensor["format"] | undefined =>
      new TensorView("x", [formats.length, COLUMNS], formats.map(piece)).packedFormat;
    expect(formatOf("q4", "q4")).toBe("q4");
    expect(formatOf("q8")).toBe("q8");
    expect([formatOf("q4", "q8"), formatOf("q4", undefined), formatOf(undefined)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    await expect(view([1]).readPacked(0, 1)).rejects.toMatchObject({ code: "invalid-shape" });
  });

  for (const [first, rows] of [
    [0, 6],
    [5, 1],
    [-1, 1],
    [1, -1],
  ] as const)
    it(`refuses row ${first}, ${rows} of 5`, async () => {
      const refusal = { code: "invalid-shape", message: `x has 5 rows; ${rows} from row ${first} were requested.` };
      await expect(view([2, 3], "q4").readRows(first, rows)).rejects.toMatchObject(refusal);
      await expect(view([2, 3], "q4").readPacked(first, rows)).rejects.toMatchObject(refusal);
    });
});
