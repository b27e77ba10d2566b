import { KleinbildError } from "../errors.ts";
import { type DType, type ChunkedMatrix, rowRanges, type Tensor, tensorBytes } from "./tensor.ts";

/**
 * What a byte on the GPU is used for. The first three are weights of a part of the model. `onnxruntime` is what that
 * backend allocates for itself. `transfer` is for uploads and downloads.
 */
export type MemoryCategory =
  | "textEncoder"
  | "transformer"
  | "vae"
  | "referenceCache"
  | "activations"
  | "transfer"
  | "onnxruntime";

/** GPU memory of an engine, in bytes. */
export interface MemoryReport {
  /** Bytes that are allocated now. */
  readonly currentBytes: number;
  /** Most bytes that were allocated at once since the start of the last run. */
  readonly peakBytes: number;
  /** The same for each category that has been used. */
  readonly byCategory: Readonly<Partial<Record<MemoryCategory, MemoryUse>>>;
}

/** GPU memory of a category, in bytes. */
export interface MemoryUse {
  /** Bytes that are allocated now. */
  readonly currentBytes: number;
  /** Most bytes that were allocated at once since the start of the last run. */
  readonly peakBytes: number;
}

/** Usage of every storage buffer: kernels bind it, transfers read and write it. */
const STORAGE_USAGE = 0x80 | 0x04 | 0x08; // STORAGE | COPY_SRC | COPY_DST; the GPUBufferUsage global is absent in Node

/**
 * Allocates all GPU buffers of the engine, with a ledger of bytes by category.
 *
 * Buffers are exact in size. `scope()` allocates activations and keeps freed buffers by size for reuse within the scope: the
 * queue runs in order, so a buffer may be written again before an earlier reader has finished.
 */
export class GpuMemory {
  readonly #device: GPUDevice;
  readonly #createBuffer: (descriptor: GPUBufferDescriptor) => GPUBuffer;
  readonly #current = new Map<MemoryCategory, number>();
  readonly #peak = new Map<MemoryCategory, number>();
  readonly #owners = new Map<GPUBuffer, { readonly category: MemoryCategory; readonly bytes: number }>();
  #total = 0;
  #peakTotal = 0;
  readonly maxBindingBytes: number;
  /** Submits recorded commands, which may use a buffer that is about to be freed. */
  submitRecorded: (() => void) | undefined;

  constructor(device: GPUDevice, maxBindingBytes: number) {
    this.#device = device;
    this.#createBuffer = device.createBuffer.bind(device);
    this.maxBindingBytes = maxBindingBytes;
    this.#countForeignBuffers();
  }

  /** A buffer of `bytes`, counted as `category`. Free it with `free`. */
  allocate(category: MemoryCategory, label: string, bytes: number, usage: number = STORAGE_USAGE): GPUBuffer {
    if (bytes > this.#device.limits.maxBufferSize)
      throw new KleinbildError(
        "out-of-memory",
        `${label} needs a buffer of ${bytes} bytes; the adapter allows ${this.#device.limits.maxBufferSize}.`,
        { bytes, limit: this.#device.limits.maxBufferSize },
      );
    const buffer = this.#createBuffer({ label, size: bytes, usage });
    this.#count(buffer, category, bytes);
    return buffer;
  }

  /** A tensor that owns a new buffer. */
  tensor(category: MemoryCategory, label: string, dtype: DType, shape: readonly number[]): Tensor {
    const bytes = tensorBytes(dtype, shape);
    this.assertBindable(label, bytes);
    return { buffer: this.allocate(category, label, bytes), dtype, shape };
  }

  free(buffer: GPUBuffer): void {
    this.submitRecorded?.();
    this.#uncount(buffer);
    buffer.destroy();
  }

  freeTensors(...tensors: readonly (Tensor | undefined)[]): void {
    for (const tensor of tensors) if (tensor) this.free(tensor.buffer);
  }

  scope(category: MemoryCategory = "activations"): MemoryScope {
    return new MemoryScope(this, category);
  }

  /** @throws KleinbildError `invalid-shape` when a binding of `bytes` is more than the limit. */
  assertBindable(label: string, bytes: number): void {
    if (bytes > this.maxBindingBytes)
      throw new KleinbildError(
        "invalid-shape",
        `${label} needs a binding of ${bytes} bytes; at most ${this.maxBindingBytes} are allowed.`,
        { bytes, limit: this.maxBindingBytes },
      );
  }

  report(): MemoryReport {
    const byCategory: Partial<Record<MemoryCategory, { currentBytes: number; peakBytes: number }>> = {};
    for (const [category, peakBytes] of this.#peak)
      byCategory[category] = { currentBytes: this.#current.get(category) ?? 0, peakBytes };
    return { currentBytes: this.#total, peakBytes: this.#peakTotal, byCategory };
  }

  /** Starts a new peak from the current bytes. */
  resetPeak(): void {
    this.#peakTotal = this.#total;
    this.#peak.clear();
    for (const [category, bytes] of this.#current) if (bytes > 0) this.#peak.set(category, bytes);
  }

  /** Frees all remaining buffers, the dense backend's included. */
  destroy(): void {
    for (const buffer of [...this.#owners.keys()]) this.free(buffer);
  }

  #count(buffer: GPUBuffer, category: MemoryCategory, bytes: number): void {
    this.#owners.set(buffer, { category, bytes });
    const current = (this.#current.get(category) ?? 0) + bytes;
    this.#current.set(category, current);
    this.#peak.set(category, Math.max(this.#peak.get(category) ?? 0, current));
    this.#total += bytes;
    this.#peakTotal = Math.max(this.#peakTotal, this.#total);
  }

  #uncount(buffer: GPUBuffer): void {
    const owner = this.#owners.get(buffer);
    if (!owner) return;
    this.#owners.delete(buffer);
    this.#current.set(owner.category, (this.#current.get(owner.category) ?? 0) - owner.bytes);
    this.#total -= owner.bytes;
  }

  /** Counts the buffers that onnxruntime creates and destroys on the injected device. */
  #countForeignBuffers(): void {
    this.#device.createBuffer = (descriptor) => {
      const buffer = this.#createBuffer(descriptor);
      this.#count(buffer, "onnxruntime", descriptor.size);
      const destroy = buffer.destroy.bind(buffer);
      buffer.destroy = () => {
        this.#uncount(buffer);
        return destroy();
      };
      return buffer;
    };
  }
}

/** Activations of one run: `release` keeps a buffer for reuse, `dispose` frees all buffers of the scope. */
export class MemoryScope {
  readonly #memory: GpuMemory;
  readonly #category: MemoryCategory;
  readonly #taken = new Set<GPUBuffer>();
  readonly #idle = new Map<number, GPUBuffer[]>();

  constructor(memory: GpuMemory, category: MemoryCategory) {
    this.#memory = memory;
    this.#category = category;
  }

  /** A tensor with undefined contents. */
  tensor(label: string, dtype: DType, shape: readonly number[]): Tensor {
    const bytes = tensorBytes(dtype, shape);
    this.#memory.assertBindable(label, bytes);
    const buffer = this.#idle.get(bytes)?.pop() ?? this.#memory.allocate(this.#category, label, bytes);
    this.#taken.add(buffer);
    return { buffer, dtype, shape };
  }

  /** A matrix in chunks of at most `rowsPerChunk` rows, with undefined contents. */
  matrix(label: string, dtype: DType, rows: number, columns: number, rowsPerChunk: number): ChunkedMatrix {
    const chunks = rowRanges(rows, rowsPerChunk).map(({ count }) => this.tensor(label, dtype, [count, columns]));
    return { rows, columns, dtype, rowsPerChunk, chunks };
  }

  release(...tensors: readonly (Tensor | undefined)[]): void {
    for (const tensor of tensors) {
      if (!tensor || !this.#taken.has(tensor.buffer)) continue;
      this.#taken.delete(tensor.buffer);
      const { size } = tensor.buffer; // the tensor may be a view of another shape
      const idle = this.#idle.get(size);
      if (idle) idle.push(tensor.buffer);
      else this.#idle.set(size, [tensor.buffer]);
    }
  }

  releaseMatrix(...matrices: readonly (ChunkedMatrix | undefined)[]): void {
    for (const matrix of matrices) if (matrix) this.release(...matrix.chunks);
  }

  /** Frees the buffers that are kept for reuse. */
  trim(): void {
    for (const idle of this.#idle.values()) for (const buffer of idle) this.#memory.free(buffer);
    this.#idle.clear();
  }

  dispose(): void {
    this.trim();
    for (const buffer of this.#taken) this.#memory.free(buffer);
    this.#taken.clear();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
