import { KleinbildError } from "../errors.ts";
import type { Tensor } from "../gpu/tensor.ts";

/**
 * How a weight matrix lies in memory: plain scalars, or block-32 codes along the input with one scale a block
 * (`q8`: zero point 128, `q4`: zero point 8, low nibble first).
 */
export type WeightFormat = "f32" | "f16" | "q8" | "q4";

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
}

/** A linear layer's weight [out, in], cut by output rows. */
export interface Matrix {
  readonly name: string;
  readonly out: number;
  readonly in: number;
  readonly format: WeightFormat;
  readonly pieces: readonly MatrixPiece[];
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
