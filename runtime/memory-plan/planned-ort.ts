import { BYTES_PER_ELEMENT, type ScalarType } from "../gpu/tensor.ts";
import type { PlannedScope } from "./ledger.ts";
import type { OrtPool } from "./ort-pool.ts";
import type { PlannedConvolution, PlannedDense, PlannedMatrix } from "./planned-dense.ts";

/** What `OrtBackend` allocates: intermediate values of the graphs, columns of cut matrices, and a branch before it is added. */
export class PlannedOrt implements PlannedDense {
  readonly foldsUpsampling = false;
  readonly #ort: OrtPool;
  readonly #scalar: ScalarType;

  constructor(ort: OrtPool, scalar: ScalarType) {
    this.#ort = ort;
    this.#scalar = scalar;
  }

  project(
    scope: PlannedScope,
    rows: number,
    x: ScalarType,
    normed: boolean,
    matrices: readonly PlannedMatrix[],
    outputs: ScalarType,
  ): void {
    const run = (parts: readonly Product[]): void =>
      this.#ort.run([
        ...this.#normed(rows, x, normed, parts[0]!.in),
        ...parts.flatMap((part) => this.#product(rows, part)),
        ...(outputs === this.#scalar ? [] : parts.map(({ out }) => this.#bytes(rows * out))),
      ]);
    if (matrices.every(({ pieces }) => pieces.length === 1)) run(matrices);
    else
      for (const matrix of matrices) this.#inPieces(scope, rows, matrix, outputs, (out) => run([{ ...matrix, out }]));
  }

  gatedProject(scope: PlannedScope, rows: number, gate: PlannedMatrix, upScaled: boolean): void {
    this.#inPieces(scope, rows, gate, this.#scalar, (out) =>
      this.#ort.run([
        ...this.#normed(rows, "f32", true, gate.in),
        ...(upScaled ? [this.#bytes(rows * gate.in)] : []),
        ...[0, 1].flatMap(() => [this.#bytes(rows * out), ...this.#product(rows, { ...gate, out })]),
      ]),
    );
  }

  addProducts(scope: PlannedScope, rows: number, terms: readonly PlannedMatrix[]): void {
    const branch = scope.tensor(this.#scalar, [rows, terms[0]!.out]);
    this.#inPieces(scope, rows, terms[0]!, this.#scalar, (out) =>
      this.#ort.run(
        terms.flatMap((term) => [
          ...(terms.length === 1 ? [] : [this.#bytes(rows * out)]),
          ...this.#product(rows, { ...term, out }),
        ]),
      ),
    );
    scope.release(branch);
  }

  /** The weight is laid out anew in each run. */
  convolve(scope: PlannedScope, { out, in: inputs, size, accumulated }: PlannedConvolution): void {
    const results = accumulated > 0 ? [scope.tensor(this.#scalar, [accumulated])] : [];
    this.#ort.run([this.#bytes(out * inputs * size * size)]);
    scope.release(...results);
  }

  #normed(rows: number, x: ScalarType, normed: boolean, columns: number): readonly number[] {
    const cast = (normed ? "f32" : x) === this.#scalar ? [] : [this.#bytes(rows * columns)];
    return normed ? [rows * columns * BYTES_PER_ELEMENT.f32, ...cast] : cast;
  }

  /** Beside the result: the stored weight's product, and that with the low rank. */
  #product(rows: number, { out, rank }: Product): readonly number[] {
    return rank === 0 ? [] : [this.#bytes(rows * out), this.#bytes(rows * rank)];
  }

  #inPieces(
    scope: PlannedScope,
    rows: number,
    matrix: PlannedMatrix,
    output: ScalarType,
    run: (out: number) => void,
  ): void {
    if (matrix.pieces.length === 1) return run(matrix.out);
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
