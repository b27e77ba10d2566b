import type { MemoryCategory } from "../gpu/memory.ts";
import { type DType, rowRanges, tensorBytes } from "../gpu/tensor.ts";

/** Bytes by part. */
export type PartBytes = Partial<Record<MemoryCategory, number>>;

/** What `GpuMemory` would count, without a GPU: bytes now and at the peak, in all and by part. */
export class PlannedMemory {
  readonly #current = new Map<MemoryCategory, number>();
  readonly #peak = new Map<MemoryCategory, number>();
  #total = 0;
  #peakTotal = 0;

  get currentBytes(): number {
    return this.#total;
  }

  get peakBytes(): number {
    return this.#peakTotal;
  }

  /** Most bytes of each part since the last `startStage`. */
  get peakByPart(): PartBytes {
    return Object.fromEntries(this.#peak);
  }

  allocate(part: MemoryCategory, bytes: number): void {
    const current = (this.#current.get(part) ?? 0) + bytes;
    this.#current.set(part, current);
    this.#peak.set(part, Math.max(this.#peak.get(part) ?? 0, current));
    this.#total += bytes;
    this.#peakTotal = Math.max(this.#peakTotal, this.#total);
  }

  free(part: MemoryCategory, bytes: number): void {
    this.#current.set(part, (this.#current.get(part) ?? 0) - bytes);
    this.#total -= bytes;
  }

  scope(part: MemoryCategory = "activations"): PlannedScope {
    return new PlannedScope(this, part);
  }

  /** Starts a new peak from what is there. */
  startStage(): void {
    this.#peakTotal = this.#total;
    this.#peak.clear();
    for (const [part, bytes] of this.#current) if (bytes > 0) this.#peak.set(part, bytes);
  }
}

/** What `MemoryScope` would hold. A buffer is told by its size, since it is the size that decides on reuse. */
export class PlannedScope {
  readonly #memory: PlannedMemory;
  readonly #part: MemoryCategory;
  readonly #idle = new Map<number, number>();
  #held = 0;

  constructor(memory: PlannedMemory, part: MemoryCategory) {
    this.#memory = memory;
    this.#part = part;
  }

  /** @returns the tensor's bytes, by which it is released */
  tensor(dtype: DType, shape: readonly number[]): number {
    const bytes = tensorBytes(dtype, shape);
    const idle = this.#idle.get(bytes) ?? 0;
    if (idle > 0) this.#idle.set(bytes, idle - 1);
    else {
      this.#memory.allocate(this.#part, bytes);
      this.#held += bytes;
    }
    return bytes;
  }

  /** A matrix in chunks of rows; the bytes of each. */
  rows(dtype: DType, rows: number, columns: number, rowsPerChunk: number): readonly number[] {
    return rowRanges(rows, rowsPerChunk).map(({ count }) => this.tensor(dtype, [count, columns]));
  }

  release(...tensors: readonly number[]): void {
    for (const bytes of tensors) this.#idle.set(bytes, (this.#idle.get(bytes) ?? 0) + 1);
  }

  /** Frees what is kept for reuse. */
  trim(): void {
    for (const [bytes, count] of this.#idle) {
      this.#memory.free(this.#part, bytes * count);
      this.#held -= bytes * count;
    }
    this.#idle.clear();
  }

  dispose(): void {
    this.#memory.free(this.#part, this.#held);
    this.#held = 0;
    this.#idle.clear();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
