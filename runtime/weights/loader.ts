import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import type { Kernel2d, Matrix, MatrixPiece, WeightFormat } from "../backend/matrix.ts";
import type { Gpu } from "../gpu/device.ts";
import type { MemoryPart } from "../gpu/memory.ts";
import { BYTES_PER_ELEMENT, rowRanges, type ScalarType, type Tensor } from "../gpu/tensor.ts";
import { f32ToF16 } from "./float.ts";
import { QUANTIZATION_BLOCK, quantizeRows } from "./quantize.ts";
import type { TensorStore } from "./tensor-store.ts";

/** How block matrices are kept on the GPU: as in the file (16 bits or f32), or in 8- or 4-bit blocks of 32. */
export type Quantization = "none" | "q8" | "q4";

/** A part of a stored matrix, as a matrix of its own. */
export interface MatrixSource {
  readonly name: string;
  /** Output rows of the stored matrix; all unless given. */
  readonly rows?: readonly [first: number, count: number];
  /** Input columns of the stored matrix; all unless given. */
  readonly columns?: readonly [first: number, count: number];
  /** Shape of the stored matrix [out, in]: what the config says it must be. */
  readonly shape: readonly [number, number];
  readonly bias?: string;
  /** False for what loses too much by quantization: embedders, modulation, final layer. */
  readonly quantize?: boolean;
}

/** What a source becomes on the GPU. */
interface Layout {
  readonly format: WeightFormat;
  readonly rows: number;
  readonly columns: number;
  /** Bytes of one row's values. */
  readonly rowBytes: number;
}

/** Values of each window that go into the fingerprint: a cheap sample of all that is loaded. */
const SAMPLED_VALUES = 256;

/** Host memory taken by one window of a matrix on its way to the GPU. */
const WINDOW_BYTES = 8 << 20;

export interface LoaderOptions {
  readonly gpu: Gpu;
  readonly store: TensorStore;
  readonly part: MemoryPart;
  readonly scalar: ScalarType;
  readonly quantization: Quantization;
  readonly signal?: AbortSignal | undefined;
  /** Called with the bytes of each window that has gone to the GPU, as they lie in the file. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/** Streams the tensors of one part of a model to the GPU, window by window, quantizing on the way. */
export class WeightLoader {
  readonly #options: LoaderOptions;
  readonly #loaded: GPUBuffer[] = [];
  readonly #hash = sha256.create();

  constructor(options: LoaderOptions) {
    this.#options = options;
  }

  /** Frees everything loaded so far: when a load fails, and when the part is given up. */
  dispose(): void {
    for (const buffer of this.#loaded) this.#options.gpu.memory.free(buffer);
    this.#loaded.length = 0;
  }

  /** SHA-256 over the names and a sample of the values of everything loaded so far. */
  get fingerprint(): string {
    return bytesToHex(this.#hash.clone().digest());
  }

  async matrix(source: MatrixSource): Promise<Matrix> {
    return (await this.aligned([source]))[0]!;
  }

  /** Matrices of equally many output rows, cut at the same rows when one of them is above the binding limit. */
  async aligned(sources: readonly MatrixSource[]): Promise<Matrix[]> {
    const layouts = sources.map((source) => this.#layout(source));
    const limit = this.#options.gpu.memory.maxBindingBytes;
    const rowsPerPiece = Math.min(...layouts.map(({ rowBytes }) => Math.floor(limit / rowBytes)));
    const matrices = [];
    for (const [i, source] of sources.entries())
      matrices.push(await this.#matrix(source, layouts[i]!, Math.max(1, rowsPerPiece)));
    return matrices;
  }

  /** A vector in f32, whatever the scalar type: norms and biases of statistics. */
  async vector(name: string, length: number): Promise<Tensor> {
    this.#options.store.expectShape(name, [length]);
    return this.constant(name, [length], await this.#readAll(name));
  }

  /** Vectors of one length as the rows of one f32 tensor [names, length]. */
  async vectors(names: readonly string[], length: number): Promise<Tensor> {
    const rows = new Float32Array(names.length * length);
    (await this.hostVectors(names, length)).forEach((values, i) => rows.set(values, i * length));
    return this.constant(names.join(", "), [names.length, length], rows);
  }

  /** Vectors of one length, on the host. */
  async hostVectors(names: readonly string[], length: number): Promise<Float32Array<ArrayBuffer>[]> {
    const vectors = [];
    for (const name of names) {
      this.#options.store.expectShape(name, [length]);
      vectors.push(await this.#readAll(name));
    }
    return vectors;
  }

  /** Host values as an f32 tensor that lives as long as the part. */
  constant(name: string, shape: readonly number[], values: Float32Array<ArrayBuffer>): Tensor {
    const tensor = this.#allocate(name, "f32", shape);
    this.#options.gpu.recorder.write(tensor, values);
    return tensor;
  }

  /** A convolution [out, in, size, size] with bias, in the scalar type. */
  async kernel2d(name: string, out: number, inputs: number, size: number): Promise<Kernel2d> {
    const { store } = this.#options;
    store.expectShape(`${name}.weight`, [out, inputs, size, size]);
    store.expectShape(`${name}.bias`, [out]);
    const weight = await this.#scalars(`${name}.weight`, [out, inputs, size, size]);
    const bias = await this.#scalars(`${name}.bias`, [out]);
    return { name, out, in: inputs, size, weight, bias };
  }

  #layout(source: MatrixSource): Layout {
    this.#options.store.expectShape(source.name, source.shape);
    const rows = source.rows?.[1] ?? source.shape[0];
    const columns = source.columns?.[1] ?? source.shape[1];
    const { scalar, quantization } = this.#options;
    const quantized = quantization !== "none" && source.quantize !== false && columns % QUANTIZATION_BLOCK === 0;
    const format = quantized ? quantization : scalar;
    const rowBytes = quantized ? (columns * (format === "q4" ? 4 : 8)) / 8 : columns * BYTES_PER_ELEMENT[scalar];
    return { format, rowBytes, columns, rows };
  }

  async #matrix(source: MatrixSource, layout: Layout, rowsPerPiece: number): Promise<Matrix> {
    const pieces: MatrixPiece[] = [];
    for (const { first, count } of rowRanges(layout.rows, rowsPerPiece)) {
      const values = await (layout.format === "q4" || layout.format === "q8"
        ? this.#quantizedPiece(source, layout.format, layout.columns, first, count)
        : this.#plainPiece(source, layout.columns, first, count));
      const bias =
        source.bias === undefined ? {} : { bias: await this.#biasPiece(source.bias, layout.rows, first, count) };
      pieces.push({ firstRow: first, rows: count, ...values, ...bias });
    }
    return { name: source.name, out: layout.rows, in: layout.columns, format: layout.format, pieces };
  }

  async #plainPiece(source: MatrixSource, columns: number, first: number, count: number): Promise<{ values: Tensor }> {
    const values = this.#allocate(source.name, this.#options.scalar, [count, columns]);
    const bytesPerRow = columns * BYTES_PER_ELEMENT[this.#options.scalar];
    for await (const window of this.#windows(source, columns, first, count))
      this.#options.gpu.recorder.write(values, this.#toScalar(window.values), window.row * bytesPerRow);
    return { values };
  }

  async #quantizedPiece(
    source: MatrixSource,
    format: "q4" | "q8",
    columns: number,
    first: number,
    count: number,
  ): Promise<{ values: Tensor; scales: Tensor }> {
    const { gpu, scalar } = this.#options;
    const bits = format === "q4" ? 4 : 8;
    const blocks = columns / QUANTIZATION_BLOCK;
    const values = this.#allocate(source.name, "u8", [count, blocks, (QUANTIZATION_BLOCK * bits) / 8]);
    const scales = this.#allocate(`${source.name} scales`, scalar, [count * blocks]);
    for await (const window of this.#windows(source, columns, first, count)) {
      const quantized = quantizeRows(window.values, window.rows, columns, bits);
      gpu.recorder.write(values, quantized.packed, (window.row * columns * bits) / 8);
      gpu.recorder.write(scales, this.#toScalar(quantized.scales), window.row * blocks * BYTES_PER_ELEMENT[scalar]);
    }
    return { values, scales };
  }

  async #biasPiece(name: string, out: number, first: number, count: number): Promise<Tensor> {
    this.#options.store.expectShape(name, [out]);
    const values = await this.#options.store.readRows(name, first, count, this.#options.signal);
    const tensor = this.#allocate(name, this.#options.scalar, [count]);
    this.#options.gpu.recorder.write(tensor, this.#toScalar(values));
    return tensor;
  }

  /** Rows `first … first + count − 1` of the source's part, in windows of an even number of rows (f16 words are pairs). */
  async *#windows(
    source: MatrixSource,
    columns: number,
    first: number,
    count: number,
  ): AsyncGenerator<{ readonly row: number; readonly rows: number; readonly values: Float32Array<ArrayBuffer> }> {
    const { store, signal, onBytes } = this.#options;
    const stored = source.shape[1];
    const rowsPerWindow = Math.max(2, Math.floor(WINDOW_BYTES / (stored * 4) / 2) * 2);
    const firstColumn = source.columns?.[0] ?? 0;
    for (const window of rowRanges(count, rowsPerWindow)) {
      const row = (source.rows?.[0] ?? 0) + first + window.first;
      const whole = await store.readRows(source.name, row, window.count, signal);
      const values = columns === stored ? whole : sliceColumns(whole, window.count, stored, firstColumn, columns);
      this.#sample(source.name, values);
      onBytes?.(store.bytesPerElement(source.name) * values.length);
      yield { row: window.first, rows: window.count, values };
    }
  }

  async #scalars(name: string, shape: readonly number[]): Promise<Tensor> {
    const values = await this.#readAll(name);
    const tensor = this.#allocate(name, this.#options.scalar, shape);
    this.#options.gpu.recorder.write(tensor, this.#toScalar(values));
    return tensor;
  }

  async #readAll(name: string): Promise<Float32Array<ArrayBuffer>> {
    const { store, signal, onBytes } = this.#options;
    const values = await store.readAll(name, signal);
    this.#sample(name, values);
    onBytes?.(store.bytesPerElement(name) * values.length);
    return values;
  }

  #sample(name: string, values: Float32Array<ArrayBuffer>): void {
    this.#hash.update(new TextEncoder().encode(name)).update(new Uint8Array(values.slice(0, SAMPLED_VALUES).buffer));
  }

  #allocate(name: string, dtype: "f32" | "f16" | "u8", shape: readonly number[]): Tensor {
    const tensor = this.#options.gpu.memory.tensor(this.#options.part, name, dtype, shape);
    this.#loaded.push(tensor.buffer);
    return tensor;
  }

  /** Values in the scalar type, padded to whole words. */
  #toScalar(values: Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer> {
    if (this.#options.scalar === "f32") return values;
    const padded = values.length % 2 === 0 ? values : Float32Array.from([...values, 0]);
    return f32ToF16(padded);
  }
}

function sliceColumns(
  values: Float32Array,
  rows: number,
  stored: number,
  first: number,
  columns: number,
): Float32Array<ArrayBuffer> {
  const slice = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++)
    slice.set(values.subarray(row * stored + first, row * stored + first + columns), row * columns);
  return slice;
}
