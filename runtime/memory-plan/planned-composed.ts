import type { Operator } from "../backend/operators.ts";
import type { ScalarType } from "../gpu/tensor.ts";
import type { PlannedScope } from "./ledger.ts";
import type { PlannedConvolution, PlannedDense, PlannedMatrix } from "./planned-dense.ts";

/** What `ComposedBackend` allocates: what the backend of each operator does. */
export class PlannedComposed implements PlannedDense {
  readonly foldsUpsampling: boolean;
  readonly #backends: Readonly<Record<Operator, PlannedDense>>;

  constructor(backends: Readonly<Record<Operator, PlannedDense>>) {
    this.foldsUpsampling = backends.convolution.foldsUpsampling;
    this.#backends = backends;
  }

  project(
    scope: PlannedScope,
    rows: number,
    x: ScalarType,
    normed: boolean,
    matrices: readonly PlannedMatrix[],
    outputs: ScalarType,
  ): void {
    this.#of(matrices[0]!).project(scope, rows, x, normed, matrices, outputs);
  }

  gatedProject(scope: PlannedScope, rows: number, gate: PlannedMatrix, upScaled: boolean): void {
    this.#of(gate).gatedProject(scope, rows, gate, upScaled);
  }

  addProducts(scope: PlannedScope, rows: number, terms: readonly PlannedMatrix[]): void {
    this.#of(terms[0]!).addProducts(scope, rows, terms);
  }

  convolve(scope: PlannedScope, convolution: PlannedConvolution): void {
    this.#backends.convolution.convolve(scope, convolution);
  }

  #of({ format }: PlannedMatrix): PlannedDense {
    return this.#backends[format];
  }
}
