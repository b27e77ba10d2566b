import { KleinbildError } from "../../errors.ts";
import type { PackedRows, PackedTensor, StoredTensor } from "../formats/tensor-file.ts";

/** Consecutive rows of a view in one stored tensor. */
export interface ViewPiece {
  readonly tensor: StoredTensor;
  /** First row in the stored tensor. */
  readonly storedRow: number;
  /** First row in the view. */
  readonly firstRow: number;
  readonly rows: number;
  /** Whether the tensor is a convolution stored as [out, size, size, in]. */
  readonly channelsLast?: boolean | undefined;
}

/** Requested rows of a piece. */
interface Span {
  readonly piece: ViewPiece;
  readonly storedRow: number;
  readonly rows: number;
}

/** A tensor under its canonical name and shape. Its rows come from one or more stored tensors. */
export class TensorView {
  readonly name: string;
  readonly shape: readonly number[];
  /** Ordered by row, without gaps. */
  readonly pieces: readonly ViewPiece[];

  constructor(name: string, shape: readonly number[], pieces: readonly ViewPiece[]) {
    this.name = name;
    this.shape = shape;
    this.pieces = pieces;
  }

  /** A view of one stored tensor. */
  static of(tensor: StoredTensor): TensorView {
    const rows = tensor.shape[0] ?? 1;
    return new TensorView(tensor.name, tensor.shape, [{ tensor, storedRow: 0, firstRow: 0, rows }]);
  }

  get rows(): number {
    return this.shape[0] ?? 1;
  }

  /** Bytes in the files. */
  get bytes(): number {
    return this.pieces.reduce(
      (sum, { tensor, rows }) => sum + (tensor.bytes * rows) / Math.max(1, tensor.shape[0] ?? 1),
      0,
    );
  }

  /** The packed format of all rows; undefined if they are not packed or have several formats. */
  get packedFormat(): PackedTensor["format"] | undefined {
    const [format, ...others] = new Set(this.pieces.map(({ tensor }) => tensor.packed?.format));
    return others.length === 0 ? format : undefined;
  }

  /** @throws KleinbildError `invalid-shape` beyond the last row */
  async readRows(first: number, rows: number, signal?: AbortSignal): Promise<Float32Array<ArrayBuffer>> {
    const read = await Promise.all(
      this.#spans(first, rows).map(async ({ piece, storedRow, rows: count }) => {
        const values = await piece.tensor.readRows(storedRow, count, signal);
        return piece.channelsLast ? channelsFirst(values, piece.tensor.shape) : values;
      }),
    );
    return joined(read, (length) => new Float32Array(length));
  }

  /** @throws KleinbildError `invalid-shape` beyond the last row, and when `packedFormat` is undefined */
  async readPacked(first: number, rows: number, signal?: AbortSignal): Promise<PackedRows> {
    if (this.packedFormat === undefined)
      throw new KleinbildError("invalid-shape", `${this.name} is not stored in a packed format.`, {
        tensor: this.name,
      });
    const read = await Promise.all(
      this.#spans(first, rows).map(({ piece, storedRow, rows: count }) =>
        piece.tensor.packed!.readRows(storedRow, count, signal),
      ),
    );
    return {
      packed: joined(
        read.map(({ packed }) => packed),
        (length) => new Uint8Array(length),
      ),
      scales: joined(
        read.map(({ scales }) => scales),
        (length) => new Float32Array(length),
      ),
    };
  }

  #spans(first: number, rows: number): Span[] {
    if (first < 0 || rows < 0 || first + rows > this.rows)
      throw new KleinbildError(
        "invalid-shape",
        `${this.name} has ${this.rows} rows; ${rows} from row ${first} were requested.`,
        { tensor: this.name },
      );
    return this.pieces.flatMap((piece): Span[] => {
      const start = Math.max(first, piece.firstRow);
      const end = Math.min(first + rows, piece.firstRow + piece.rows);
      return end > start ? [{ piece, storedRow: piece.storedRow + start - piece.firstRow, rows: end - start }] : [];
    });
  }
}

function joined<T extends Float32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>>(
  chunks: readonly T[],
  create: (length: number) => T,
): T {
  if (chunks.length === 1) return chunks[0]!;
  const whole = create(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

/** Converts a convolution [rows, height, width, in] to [rows, in, height, width]. */
function channelsFirst(values: Float32Array<ArrayBuffer>, shape: readonly number[]): Float32Array<ArrayBuffer> {
  const [, height, width, inputs] = shape as readonly [number, number, number, number];
  const pixels = height * width;
  const kernel = pixels * inputs;
  const turned = new Float32Array(values.length);
  for (let row = 0; row < values.length; row += kernel)
    for (let pixel = 0; pixel < pixels; pixel++)
      for (let channel = 0; channel < inputs; channel++)
        turned[row + channel * pixels + pixel] = values[row + pixel * inputs + channel]!;
  return turned;
}
