import type { Kernel2d } from "../backend/matrix.ts";
import { BYTES_PER_ELEMENT, rowRanges, type ScalarType } from "../gpu/tensor.ts";
import type { PlannedMemory } from "./ledger.ts";
import type { OrtPool } from "./ort-pool.ts";

/** A weight matrix [out, in], cut by output rows. */
export interface PlannedMatrix {
  readonly out: number;
  readonly in: number;
  /** Output rows of each piece. */
  readonly pieces: readonly number[];
  /** Rank of the change beside it; 0 is none. */
  readonly rank: number;
}

/** Whole output rows that fit a binding, as the loader cuts matrices of these row sizes alike. */
export function cutRows(out: number, rowBytes: number, maxBindingBytes: number): readonly number[] {
  return rowRanges(out, Math.max(1, Math.floor(maxBindingBytes / rowBytes))).map(({ count }) => count);
}

/** What the operators of the dense seam allocate: intermediate values of the graphs, and columns of cut matrices. */
export class PlannedDense {
  readonly #memory: PlannedMemory;
  readonly #ort: OrtPool;
  readonly #scalar: ScalarType;

  constructor(memory: PlannedMemory, ort: OrtPool, scalar: ScalarType) {
    this.#memory = memory;
    this.#ort = ort;
    this.#scalar = scalar;
  }

  /** @param x  type of the rows; @param outputs  type of the results */
  project(rows: number, x: ScalarType, normed: boolean, matrices: readonly PlannedMatrix[], outputs: ScalarType): void {
    const run = (parts: readonly Product[]): void =>
      this.#ort.run([
        ...this.#normed(rows, x, normed, parts[0]!.in),
        ...parts.flatMap((part) => this.#product(rows, part)),
        ...(outputs === this.#scalar ? [] : parts.map(({ out }) => this.#bytes(rows * out))),
      ]);
    if (matrices.every(({ pieces }) => pieces.length === 1)) run(matrices);
    else for (const matrix of matrices) this.#inPieces(rows, matrix, outputs, (out) => run([{ ...matrix, out }]));
  }

  gatedProject(rows: number, gate: PlannedMatrix, upScaled: boolean): void {
    this.#inPieces(rows, gate, this.#scalar, (out) =>
      this.#ort.run([
        ...this.#normed(rows, "f32", true, gate.in),
        ...(upScaled ? [this.#bytes(rows * gate.in)] : []),
        ...[0, 1].flatMap(() => [this.#bytes(rows * out), ...this.#product(rows, { ...gate, out })]),
      ]),
    );
  }

  sumProducts(rows: number, terms: readonly PlannedMatrix[]): void {
    this.#inPieces(rows, terms[0]!, this.#scalar, (out) =>
      this.#ort.run(
        terms.flatMap((term) => [
          ...(terms.length === 1 ? [] : [this.#bytes(rows * out)]),
          ...this.#product(rows, { ...term, out }),
        ]),
      ),
    );
  }

  /** The weight is laid out anew in each run. */
  convolve({ out, in: inputs, size }: Pick<Kernel2d, "out" | "in" | "size">): void {
    this.#ort.run([this.#bytes(out * inputs * size * size)]);
  }

  #normed(rows: number, x: ScalarType, normed: boolean, columns: number): readonly number[] {
    const cast = (normed ? "f32" : x) === this.#scalar ? [] : [this.#bytes(rows * columns)];
    return normed ? [rows * columns * BYTES_PER_ELEMENT.f32, ...cast] : cast;
  }

  /** Beside the result: the stored weight's product, and that with the low rank. */
  #product(rows: number, { out, rank }: Product): readonly number[] {
    return rank === 0 ? [] : [this.#bytes(rows * out), this.#bytes(rows * rank)];
  }

  #inPieces(rows: number, matrix: PlannedMatrix, output: ScalarType, run: (out: number) => void): void {
    if (matrix.pieces.length === 1) return run(matrix.out);
    using scope = this.#memory.scope();
    for (const out of matrix.pieces) {
      const part = scope.tensor(output, [rows, out]);
      run(out);
      scope.release(part);
    }
  }

  #bytes(count: number): number {
    return count * BYTES_PER_ELEMENT[this.#scalar];
  }
}

type Product = Pick<PlannedMatrix, "out" | "in" | "rank">;
