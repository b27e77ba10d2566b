import type { LowRank, Matrix, StoredRegion } from "../backend/matrix.ts";
import { KleinbildError } from "../errors.ts";
import type { Gpu } from "../gpu/device.ts";
import { BYTES_PER_ELEMENT, type ScalarType, type Tensor } from "../gpu/tensor.ts";
import { toScalar } from "../weights/loader/weight-loader.ts";
import type { LoraModule } from "../weights/lora/lora-file.ts";
import { readValues } from "../weights/lora/lora-values.ts";

/** A module of one adapter, and the scale of its change: the adapter's weight times the module's own factor. */
export interface Change {
  readonly module: LoraModule;
  readonly scale: number;
}

/** The factors of a change, read and balanced. */
interface Factors {
  readonly down: Float32Array;
  /** Scaled. */
  readonly up: Float32Array;
}

/**
 * The changes beside matrices on the GPU, in the transformer's memory. Matrices that take the same rows and columns of
 * the same changes share `down`.
 */
export class LowRankBuilder {
  readonly #gpu: Gpu;
  readonly #scalar: ScalarType;
  readonly #tensors: Tensor[] = [];
  readonly #downs = new Map<string, Tensor>();
  readonly #ids = new Map<Change, number>();
  /** Factors in use: read once for all slices of their tensor, and dropped after the last one. */
  readonly #factors = new Map<Change, Factors>();
  readonly #uses = new Map<Change, number>();

  /** @param planned  the changes of all matrices that `adapt` will be called for */
  constructor(gpu: Gpu, scalar: ScalarType, planned: Iterable<readonly Change[]>) {
    this.#gpu = gpu;
    this.#scalar = scalar;
    for (const changes of planned)
      for (const change of changes) {
        this.#uses.set(change, (this.#uses.get(change) ?? 0) + 1);
        if (!this.#ids.has(change)) this.#ids.set(change, this.#ids.size);
      }
  }

  /** Frees all buffers. */
  dispose(): void {
    this.#gpu.memory.freeTensors(...this.#tensors);
    this.#tensors.length = 0;
  }

  /** The matrix with `changes`; each of them changes some of its rows. */
  adapt(matrix: Matrix, source: StoredRegion, changes: readonly Change[]): Matrix {
    // kernels read four columns at a time
    const rank = Math.ceil(changes.reduce((sum, { module }) => sum + module.rank, 0) / 4) * 4;
    this.#expectBindable(matrix, rank);
    const factors = changes.map((change) => this.#take(change));
    const down = this.#down(matrix, source, changes, factors, rank);
    const rows = changes.map(({ module }) => rowsOf(module, source));
    const pieces = matrix.pieces.map((piece) => {
      const values = new Float32Array(piece.rows * rank);
      let column = 0;
      changes.forEach(({ module }, i) => {
        for (let row = 0; row < piece.rows; row++) {
          const from = rows[i]!(piece.firstRow + row) * module.rank;
          if (from >= 0) values.set(factors[i]!.up.subarray(from, from + module.rank), row * rank + column);
        }
        column += module.rank;
      });
      const lowRank: LowRank = { rank, down, up: this.#upload(`${matrix.name} up`, [piece.rows, rank], values) };
      return { ...piece, lowRank };
    });
    for (const change of changes) this.#release(change);
    return { ...matrix, pieces };
  }

  #down(
    matrix: Matrix,
    { firstColumn, storedShape }: StoredRegion,
    changes: readonly Change[],
    factors: readonly Factors[],
    rank: number,
  ): Tensor {
    const key = JSON.stringify([firstColumn, matrix.in, changes.map((change) => this.#ids.get(change))]);
    const known = this.#downs.get(key);
    if (known) return known;
    const values = new Float32Array(rank * matrix.in);
    let at = 0;
    changes.forEach(({ module }, i) => {
      for (let r = 0; r < module.rank; r++, at += matrix.in) {
        const from = r * storedShape[1] + firstColumn;
        values.set(factors[i]!.down.subarray(from, from + matrix.in), at);
      }
    });
    const tensor = this.#upload(`${matrix.name} down`, [rank, matrix.in], values);
    this.#downs.set(key, tensor);
    return tensor;
  }

  #take(change: Change): Factors {
    let factors = this.#factors.get(change);
    if (!factors) {
      factors = readFactors(change);
      this.#factors.set(change, factors);
    }
    return factors;
  }

  #release(change: Change): void {
    const left = this.#uses.get(change)! - 1;
    this.#uses.set(change, left);
    if (left === 0) this.#factors.delete(change);
  }

  #upload(label: string, shape: readonly [number, number], values: Float32Array<ArrayBuffer>): Tensor {
    const tensor = this.#gpu.memory.tensor("transformer", label, this.#scalar, shape);
    this.#tensors.push(tensor);
    this.#gpu.recorder.write(tensor, toScalar(values, this.#scalar));
    return tensor;
  }

  #expectBindable(matrix: Matrix, rank: number): void {
    const { maxBindingBytes } = this.#gpu.memory;
    const longest = Math.max(matrix.in, ...matrix.pieces.map(({ rows }) => rows));
    const bytes = rank * longest * BYTES_PER_ELEMENT[this.#scalar];
    if (bytes > maxBindingBytes)
      throw new KleinbildError(
        "unsupported",
        `The LoRAs of ${matrix.name} have rank ${rank} together, which takes bindings of ${bytes} bytes; the adapter allows ${maxBindingBytes}. Use fewer at once.`,
        { rank, bytes, limit: maxBindingBytes },
      );
  }
}

/** Row of a module's `up` for a row of the matrix; −1 where the module does not change the row. */
function rowsOf({ target, up }: LoraModule, { name, firstRow, storedShape }: StoredRegion): (row: number) => number {
  const sliceRows = up.shape[0]! / target.length;
  return (row) => {
    const stored = firstRow + row;
    const index = target.findIndex(
      ({ tensor, slot, slots }) => tensor === name && Math.floor((stored * slots) / storedShape[0]) === slot,
    );
    return index < 0 ? -1 : index * sliceRows + (stored % sliceRows);
  };
}

/**
 * Both factors with the scale. A power of two moves from one to the other, rank by rank, so that their largest values are
 * alike: `up` is often so small that f16 would round it to multiples of 2⁻²⁴.
 */
function readFactors({ module, scale }: Change): Factors {
  const { rank } = module;
  const down = readValues(module.down);
  const up = readValues(module.up).map((value) => value * scale);
  const columns = down.length / rank;
  const largest = new Float64Array(rank);
  up.forEach((value, i) => (largest[i % rank] = Math.max(largest[i % rank]!, Math.abs(value))));
  const moved = largest.map((most, r) => {
    const row = down.subarray(r * columns, (r + 1) * columns);
    const ratio = most / row.reduce((peak, value) => Math.max(peak, Math.abs(value)), 0);
    return Number.isFinite(ratio) && ratio > 0 ? 2 ** Math.round(Math.log2(ratio) / 2) : 1;
  });
  return {
    down: down.map((value, i) => value * moved[Math.floor(i / columns)]!),
    up: up.map((value, i) => value / moved[i % rank]!),
  };
}
