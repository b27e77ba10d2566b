import type { WeightFormat } from "../../backend/matrix.ts";
import { BYTES_PER_ELEMENT, type RowRange, rowRanges } from "../../gpu/tensor.ts";

/** Rows and columns of a stored matrix that become a matrix on the GPU. */
export interface MatrixSource {
  readonly name: string;
  /** Output rows of the stored matrix. Default: all. */
  readonly rows?: readonly [first: number, count: number];
  /** Input columns of the stored matrix. Default: all. */
  readonly columns?: readonly [first: number, count: number];
  /** Shape of the stored matrix [out, in], according to the config. */
  readonly shape: readonly [number, number];
  /** Name of a vector with a bias for each output row of the stored matrix. */
  readonly bias?: string;
  /** False for matrices that lose too much by quantization: embedders, modulation, final layer. Default: true. */
  readonly quantize?: boolean;
}

/** How a matrix is stored on the GPU. */
export interface MatrixLayout {
  readonly source: MatrixSource;
  readonly format: WeightFormat;
  /** Whether the file has the matrix in this packed format, so that its rows are copied. */
  readonly packed: boolean;
  readonly rows: number;
  readonly columns: number;
  /** Bytes of one row, without scales. */
  readonly rowBytes: number;
}

/** A read of rows of a stored matrix. Several matrices that are cut from its columns share it. */
export interface WindowRead {
  readonly name: string;
  /** First row in the stored matrix. */
  readonly row: number;
  readonly rows: number;
  /** Read in the packed layout instead of f32. */
  readonly packed: boolean;
  /** Rows of the pieces that the window belongs to. */
  readonly piece: RowRange;
  /** First row in the piece. */
  readonly first: number;
  readonly layouts: readonly MatrixLayout[];
}

/** RAM of one window of a matrix in f32. The next window is read while this one is processed. */
export const WINDOW_BYTES = 8 << 20;

/** All reads for matrices of equally many rows, in order. */
export function windowReads(layouts: readonly MatrixLayout[], pieceRows: number): WindowRead[] {
  const rowsPerWindow = Math.min(...layouts.map(({ source }) => windowRows(source.shape[1])));
  const reads: WindowRead[] = [];
  for (const piece of rowRanges(layouts[0]!.rows, pieceRows))
    for (const { first, count: rows } of rowRanges(piece.count, rowsPerWindow)) {
      const shared = new Map<string, WindowRead & { layouts: MatrixLayout[] }>();
      for (const layout of layouts) {
        const { source, packed } = layout;
        const { name } = source;
        const row = (source.rows?.[0] ?? 0) + piece.first + first;
        const key = `${row} ${packed} ${name}`;
        const read = shared.get(key);
        if (read) read.layouts.push(layout);
        else shared.set(key, { name, row, rows, packed, piece, first, layouts: [layout] });
      }
      reads.push(...shared.values());
    }
  return reads;
}

/** Rows of a piece of a matrix. It is a multiple of four if possible, because kernels write four outputs at a time. */
export function rowsPerPiece(fitting: number): number {
  return fitting >= 4 ? Math.floor(fitting / 4) * 4 : Math.max(1, fitting);
}

/** An even number, because f16 values are written in words of two. */
function windowRows(columns: number): number {
  const pairs = Math.floor(WINDOW_BYTES / (columns * BYTES_PER_ELEMENT.f32) / 2);
  return 2 * Math.max(1, pairs);
}

/** The columns of a source, from whole rows. `values` may be values, packed codes, or scales of blocks. */
export function sliceColumns<T extends Float32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>>(
  values: T,
  rows: number,
  { columns, shape: [, stored] }: MatrixSource,
): T {
  const [first, count] = columns ?? [0, stored];
  if (count === stored) return values;
  const rowLength = values.length / rows;
  const [start, length] = [(first * rowLength) / stored, (count * rowLength) / stored];
  const slice = values.slice(0, rows * length) as T;
  for (let row = 0; row < rows; row++)
    slice.set(values.subarray(row * rowLength + start, row * rowLength + start + length), row * length);
  return slice;
}
