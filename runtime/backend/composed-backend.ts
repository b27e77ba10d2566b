import type { MemoryScope } from "../gpu/memory.ts";
import type { ConvolveCall, DenseBackend, LinearCall, ResidualLinearCall, SwiGluCall } from "./backend.ts";
import type { KernelLayout, Matrix } from "./matrix.ts";
import { type Operator, operatorOf } from "./operators.ts";

/** Sends each operator to its backend. The format of the first matrix decides where a linear layer goes. */
export class ComposedBackend implements DenseBackend {
  readonly kernelLayout: KernelLayout;
  readonly #backends: Readonly<Record<Operator, DenseBackend>>;

  constructor(backends: Readonly<Record<Operator, DenseBackend>>) {
    this.kernelLayout = backends.convolution.kernelLayout;
    this.#backends = backends;
  }

  async linear(scope: MemoryScope, call: LinearCall): Promise<void> {
    await this.#of(call.weights[0]!).linear(scope, call);
  }

  async swiglu(scope: MemoryScope, call: SwiGluCall): Promise<void> {
    await this.#of(call.gate).swiglu(scope, call);
  }

  async residualLinear(scope: MemoryScope, call: ResidualLinearCall): Promise<void> {
    await this.#of(call.terms[0]!.weight).residualLinear(scope, call);
  }

  async convolve(scope: MemoryScope, call: ConvolveCall): Promise<void> {
    await this.#backends.convolution.convolve(scope, call);
  }

  async dispose(): Promise<void> {
    for (const backend of new Set(Object.values(this.#backends))) await backend.dispose();
  }

  #of({ format }: Matrix): DenseBackend {
    return this.#backends[operatorOf(format)];
  }
}
