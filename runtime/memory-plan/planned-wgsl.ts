import type { ScalarType } from "../gpu/tensor.ts";
import type { PlannedScope } from "./ledger.ts";
import type { PlannedDense, PlannedMatrix } from "./planned-dense.ts";

/** What `WgslBackend` allocates: rows in the scalar type, and those of a low rank. */
export class PlannedWgsl implements PlannedDense {
  readonly foldsUpsampling = true;
  readonly #scalar: ScalarType;

  constructor(scalar: ScalarType) {
    this.#scalar = scalar;
  }

  project(scope: PlannedScope, rows: number, x: ScalarType, normed: boolean, matrices: readonly PlannedMatrix[]): void {
    this.#withNormalized(scope, rows, matrices[0]!.in, normed || x !== this.#scalar, () => {
      for (const matrix of matrices) this.#linear(scope, rows, matrix);
    });
  }

  gatedProject(scope: PlannedScope, rows: number, gate: PlannedMatrix): void {
    this.#withNormalized(scope, rows, gate.in, true, () => this.#linear(scope, rows, gate));
  }

  addProducts(scope: PlannedScope, rows: number, terms: readonly PlannedMatrix[]): void {
    for (const term of terms) this.#linear(scope, rows, term);
  }

  convolve(): void {}

  #withNormalized(scope: PlannedScope, rows: number, columns: number, needed: boolean, work: () => void): void {
    const normalized = needed ? [scope.tensor(this.#scalar, [rows, columns])] : [];
    work();
    scope.release(...normalized);
  }

  #linear(scope: PlannedScope, rows: number, { rank }: PlannedMatrix): void {
    if (rank > 0) scope.release(scope.tensor(this.#scalar, [rows, rank]));
  }
}
