import { KleinbildError } from "../errors.ts";
import type { Tensor } from "../gpu/tensor.ts";

/**
 * How a weight matrix lies in memory: plain scalars, or block-32 codes along the input with one scale a block
 * (`q8`: zero point 128, `q4`: zero point 8, low nibble first).
 */
export type WeightFormat = "f32" | "f16" | "q8" | "q4";

/**
 * A change of low rank beside a matrix: y += (x · downᵀ) · upᵀ. Both factors are in the scalar type, also beside
 * quantized values, and the scale of the change is part of `up`.
 */
export interface LowRank {
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

/** Where a matrix lies in the stored one of which it is a part. */
export interface StoredPart {
  /** Name of the stored tensor. */
  readonly name: string;
  readonly firstRow: number;
  readonly firstColumn: number;
  /** [out, in] of the whole. */
  readonly storedShape: readonly [number, number];
}

/** A linear layer's weight [out, in], cut by output rows. */
export interface Matrix {
  readonly name: string;
  readonly out: number;
  readonly in: number;
  readonly format: WeightFormat;
  readonly pieces: readonly MatrixPiece[];
  /** Absent where the values come from no file. */
  readonly source?: StoredPart;
}

/** A convolution's weight [out, in, kernel, kernel] with its bias [out]. */
export interface Kernel2d {
  readonly name: string;
  readonly out: number;
  readonly in: number;
  /** Height and width: 1 or 3. */
  readonly size: number;
  readonly weight: Tensor;
  readonly bias: Tensor;
}

/** @throws KleinbildError `invalid-shape` unless `x` is [rows, `columns`]. Returns its rows. */
export function expectColumns(name: string, x: Tensor, columns: number): number {
  if (x.shape.length !== 2 || x.shape[1] !== columns)
    throw new KleinbildError("invalid-shape", `${name} expects [rows, ${columns}]; got [${x.shape.join(", ")}].`);
  return x.shape[0]!;
}
