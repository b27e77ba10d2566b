import type { MemoryScope } from "../gpu/memory.ts";
import type { Tensor } from "../gpu/tensor.ts";
import type { ConvolutionOptions, DenseBackend, Norm, ProductTerm, Residual } from "./backend.ts";
import type { Kernel2d, KernelLayout, Matrix } from "./matrix.ts";
import { type Operator, operatorOf } from "./operators.ts";

/** Sends each operator to the backend that has it; products by the format of their first matrix. */
export class ComposedBackend implements DenseBackend {
  readonly kernelLayout: KernelLayout;
  readonly #backends: Readonly<Record<Operator, DenseBackend>>;

  constructor(backends: Readonly<Record<Operator, DenseBackend>>) {
    this.kernelLayout = backends.convolution.kernelLayout;
    this.#backends = backends;
  }

  async linear(
    scope: MemoryScope,
    x: Tensor,
    norm: Norm,
    weights: readonly Matrix[],
    outputs: readonly Tensor[],
  ): Promise<void> {
    await this.#of(weights[0]!).linear(scope, x, norm, weights, outputs);
  }

  async swiglu(
    scope: MemoryScope,
    x: Tensor,
    norm: Norm,
    gate: Matrix,
    up: Matrix,
    upScale: number,
    output: Tensor,
  ): Promise<void> {
    await this.#of(gate).swiglu(scope, x, norm, gate, up, upScale, output);
  }

  async residualLinear(
    scope: MemoryScope,
    terms: readonly ProductTerm[],
    residual: Residual,
    hidden: Tensor,
  ): Promise<void> {
    await this.#of(terms[0]!.weight).residualLinear(scope, terms, residual, hidden);
  }

  async convolve(
    scope: MemoryScope,
    x: Tensor,
    weight: Kernel2d,
    options: ConvolutionOptions,
    output: Tensor,
  ): Promise<void> {
    await this.#backends.convolution.convolve(scope, x, weight, options, output);
  }

  async dispose(): Promise<void> {
    for (const backend of new Set(Object.values(this.#backends))) await backend.dispose();
  }

  #of({ format }: Matrix): DenseBackend {
    return this.#backends[operatorOf(format)];
  }
}
