import type { Kernel2d } from "../backend/matrix.ts";
import type { LinearOperator } from "../backend/operators.ts";
import { rowRanges, type ScalarType } from "../gpu/tensor.ts";
import { rowsPerPiece } from "../weights/loader/matrix-windows.ts";
import type { PlannedScope } from "./ledger.ts";

/** A weight matrix [out, in], cut by output rows. */
export interface PlannedMatrix {
  readonly out: number;
  readonly in: number;
  /** What its values lie as, by which it goes to a backend. */
  readonly format: LinearOperator;
  /** Output rows of each piece. */
  readonly pieces: readonly number[];
  /** Rank of the change beside it; 0 is none. */
  readonly rank: number;
}

/** A convolution of one band. */
export interface PlannedConvolution extends Pick<Kernel2d, "out" | "in" | "size"> {
  /** Values that its results are added to; 0 where they are just stored. */
  readonly accumulated: number;
}

/** Whole output rows that fit a binding, as the loader cuts matrices of these row sizes alike. */
export function cutRows(out: number, rowBytes: number, maxBindingBytes: number): readonly number[] {
  return rowRanges(out, rowsPerPiece(Math.floor(maxBindingBytes / rowBytes))).map(({ count }) => count);
}

/** What the operators of the dense seam allocate, of `scope` and beside it, while they run. */
export interface PlannedDense {
  /** @param x  type of the rows; @param outputs  type of the results */
  project(
    scope: PlannedScope,
    rows: number,
    x: ScalarType,
    normed: boolean,
    matrices: readonly PlannedMatrix[],
    outputs: ScalarType,
  ): void;
  gatedProject(scope: PlannedScope, rows: number, gate: PlannedMatrix, upScaled: boolean): void;
  addProducts(scope: PlannedScope, rows: number, terms: readonly PlannedMatrix[]): void;
  convolve(scope: PlannedScope, convolution: PlannedConvolution): void;
  /** Whether upsampling happens inside the convolution after it. */
  readonly foldsUpsampling: boolean;
}
