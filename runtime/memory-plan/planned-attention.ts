import { kvHeadsPerGroup, type HeadShape } from "../backend/attention.ts";
import type { MemoryCategory } from "../gpu/memory.ts";
import { type ScalarType, tensorBytes } from "../gpu/tensor.ts";
import type { PlannedMemory, PlannedScope } from "./ledger.ts";

type Heads = Pick<HeadShape, "heads" | "kvHeads" | "headDim">;

/** What `Attention` allocates. */
export class PlannedAttention {
  readonly #shape: Heads;
  readonly #scalar: ScalarType;
  readonly #kvHeadsPerGroup: number;

  constructor(shape: Heads, scalar: ScalarType, maxBindingBytes: number) {
    this.#shape = shape;
    this.#scalar = scalar;
    this.#kvHeadsPerGroup = kvHeadsPerGroup(shape, scalar, maxBindingBytes);
  }

  queries(scope: PlannedScope, rows: number): readonly number[] {
    const { heads, kvHeads, headDim } = this.#shape;
    const shape = [(this.#kvHeadsPerGroup * heads) / kvHeads, rows, headDim];
    return this.#groups.map(() => scope.tensor(this.#scalar, shape));
  }

  keysValues(scope: PlannedScope, rows: number): readonly number[] {
    return this.#groups.map(() => scope.tensor(this.#scalar, this.#keysValuesShape(rows)));
  }

  /** Bytes of the keys and values of `rows` tokens, allocated in a part of the memory. */
  keepKeysValues(memory: PlannedMemory, part: MemoryCategory, rows: number): number {
    const bytes = this.#groups.length * tensorBytes(this.#scalar, this.#keysValuesShape(rows));
    memory.allocate(part, bytes);
    return bytes;
  }

  get #groups(): readonly undefined[] {
    return Array.from({ length: this.#shape.kvHeads / this.#kvHeadsPerGroup });
  }

  #keysValuesShape(rows: number): readonly number[] {
    return [2, this.#kvHeadsPerGroup, rows, this.#shape.headDim];
  }
}
