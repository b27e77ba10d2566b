import { KleinbildError } from "../errors.ts";
import type { Tensor } from "../gpu/tensor.ts";

/**
 * Format of a weight matrix on the GPU: plain scalars, or block-32 codes along the input with one scale a block
 * (`q8`: zero point 128, `q4`: zero point 8, low nibble first).
 */
export type WeightFormat = "f32" | "f16" | "q8" | "q4";

/**
 * A low-rank change of a matrix: y += (x · downᵀ) · upᵀ. Both factors are in the scalar type, even if the matrix is quantized.
 * `up` includes the scale of the change.
 */
export interface LowRank {
  /** A multiple of 4; factors of another rank are padded with zeros. */
  readonly rank: number;
  /** [rank, in] */
  readonly down: Tensor;
  /** [rows, rank] */
  readonly up: Tensor;
}

/** Whole output rows of a matrix, small enough for one binding. */
export interface MatrixPiece {
  readonly firstRow: number;
  readonly rows: number;
  /** [rows, in] scalars, or [rows, in / 32, 32 · bits / 8] codes. */
  readonly values: Tensor;
  /** [rows · in / 32], for `q8` and `q4`. */
  readonly scales?: Tensor;
  /** [rows] */
  readonly bias?: Tensor;
  readonly lowRank?: LowRank;
}

/** Position of a matrix in a stored tensor. */
export interface StoredRegion {
  /** Name of the stored tensor. */
  readonly name: string;
  readonly firstRow: number;
  readonly firstColumn: number;
  /** [out, in] of the stored tensor. */
  readonly storedShape: readonly [number, number];
}

/** A linear layer's weight [out, in], cut by output rows. */
export interface Matrix {
  readonly name: string;
  readonly out: number;
  readonly in: number;
  readonly format: WeightFormat;
  readonly pieces: readonly MatrixPiece[];
  /** Absent if the values come from no file. */
  readonly source?: StoredRegion;
}

/**
 * Order of a convolution's weight: [out, in, size, size] as in the files, or channels last, [out, size, size, in]. Channels last,
 * an upsampling is folded into the convolution after it.
 */
export type KernelLayout = "oihw" | "ohwi";

/** Channels of a feature map, and inputs of a convolution: a multiple of four, padded with zeros. */
export function paddedChannels(channels: number): number {
  return Math.ceil(channels / 4) * 4;
}

/** A convolution's weight, in the backend's layout, with its bias [out]. */
export interface Kernel2d {
  readonly name: string;
  readonly out: number;
  /** A multiple of 4. */
  readonly in: number;
  /** Height and width: 1 or 3, or 2 if it upsamples. */
  readonly size: number;
  /** The output is twice as high and wide: four kernels [4, out, 2, 2, in], one for each output position of an input position. */
  readonly upsamples?: boolean;
  readonly weight: Tensor;
  readonly bias: Tensor;
}

/** @throws KleinbildError `invalid-shape` unless `x` is [rows, `columns`]. Returns its rows. */
export function expectColumns(name: string, x: Tensor, columns: number): number {
  if (x.shape.length !== 2 || x.shape[1] !== columns)
    throw new KleinbildError("invalid-shape", `${name} expects [rows, ${columns}]; got [${x.shape.join(", ")}].`);
  return x.shape[0]!;
}

/** @throws KleinbildError `invalid-shape` unless `output` is [rows, columns] */
export function expectOutput(name: string, output: Tensor, rows: number, columns: number): void {
  if (output.shape[0] !== rows || output.shape[1] !== columns)
    throw new KleinbildError(
      "invalid-shape",
      `The output of ${name} must be [${rows}, ${columns}]; got [${output.shape.join(", ")}].`,
    );
}

/** @throws KleinbildError `invalid-shape` unless both have the same rows in the same pieces */
export function expectAligned(a: Matrix, b: Matrix): void {
  const aligned = a.pieces.length === b.pieces.length && a.pieces.every((piece, i) => piece.rows === b.pieces[i]!.rows);
  if (a.out !== b.out || !aligned)
    throw new KleinbildError("invalid-shape", `${a.name} and ${b.name} must have the same rows in the same pieces.`);
}
