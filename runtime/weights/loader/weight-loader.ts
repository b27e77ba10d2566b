import {
  type Kernel2d,
  type KernelLayout,
  type Matrix,
  type MatrixPiece,
  paddedChannels,
} from "../../backend/matrix.ts";
import type { Gpu } from "../../gpu/device.ts";
import type { MemoryCategory } from "../../gpu/memory.ts";
import { BYTES_PER_ELEMENT, type RowRange, type ScalarType, type Tensor } from "../../gpu/tensor.ts";
import { f32ToF16 } from "../float.ts";
import type { PackedRows } from "../formats/tensor-file.ts";
import { type KernelConversion, kernelConversion, upsamplingConversion } from "./kernel-layout.ts";
import {
  type MatrixLayout,
  type MatrixSource,
  rowsPerPiece,
  sliceColumns,
  type WindowRead,
  windowReads,
} from "./matrix-windows.ts";
import { QUANTIZATION_BITS, QUANTIZATION_BLOCK, type QuantizationMethod, quantizeRows } from "../quantize.ts";
import { readAhead } from "../read-ahead.ts";
import type { TensorStore } from "../tensor-store.ts";

/**
 * How block matrices are stored on the GPU. `none`: in the engine's scalar type. `q8`, `q4`: in 8 or 4 bits, in blocks of 32
 * with one scale.
 */
export type Quantization = "none" | "q8" | "q4";

export interface LoaderOptions {
  readonly gpu: Gpu;
  readonly store: TensorStore;
  readonly part: MemoryCategory;
  readonly scalar: ScalarType;
  readonly quantization: Quantization;
  /** Default: `rtn`. */
  readonly quantizationMethod?: QuantizationMethod | undefined;
  /** Layout of convolutions. Default: `oihw`, as in the files. */
  readonly kernelLayout?: KernelLayout | undefined;
  /** Allocates tensors and reads no values, for the null device. */
  readonly withoutValues?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called after each window with the bytes that were read from the files. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

const NO_VALUES = new Float32Array();

/** Streams the tensors of one part of a model to the GPU in windows, and quantizes them on the way. */
export class WeightLoader {
  readonly #options: LoaderOptions;
  readonly #loaded: Tensor[] = [];

  constructor(options: LoaderOptions) {
    this.#options = options;
  }

  /** Frees all loaded tensors, after a failed load or when the part is no longer needed. */
  dispose(): void {
    this.#options.gpu.memory.freeTensors(...this.#loaded);
    this.#loaded.length = 0;
  }

  async matrix(source: MatrixSource): Promise<Matrix> {
    return (await this.aligned([source]))[0]!;
  }

  /** Loads matrices with equally many output rows. If one exceeds the binding limit, all are cut at the same rows. */
  async aligned(sources: readonly MatrixSource[]): Promise<Matrix[]> {
    const layouts = sources.map((source) => this.#layout(source));
    const { maxBindingBytes } = this.#options.gpu.memory;
    const fitting = Math.min(...layouts.map(({ rowBytes }) => Math.floor(maxBindingBytes / rowBytes)));
    const reads = windowReads(layouts, rowsPerPiece(fitting));
    const pieces = new Map(layouts.map((layout): [MatrixLayout, MatrixPiece[]] => [layout, []]));
    let current: RowRange | undefined;
    const { signal } = this.#options;
    for await (const [read, stored] of readAhead(reads, (next) => this.#read(next), signal)) {
      if (read.piece !== current) {
        current = read.piece;
        // not in parallel: an abort must not be followed by further allocations
        for (const [layout, filled] of pieces)
          filled.push(await this.#allocatePiece(layout, current.first, current.count));
      }
      for (const layout of read.layouts) this.#fill(pieces.get(layout)!.at(-1)!, layout, read, stored);
    }
    return [...pieces].map(([{ source, rows, columns, format }, filled]) => ({
      name: source.name,
      out: rows,
      in: columns,
      format,
      pieces: filled,
      source: {
        name: source.name,
        firstRow: source.rows?.[0] ?? 0,
        firstColumn: source.columns?.[0] ?? 0,
        storedShape: source.shape,
      },
    }));
  }

  /** A vector in f32, for norms and statistics, whatever the scalar type. */
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

  /** Uploads values as an f32 tensor that lives as long as the part. */
  constant(name: string, shape: readonly number[], values: Float32Array<ArrayBuffer>): Tensor {
    const tensor = this.#allocate(name, "f32", shape);
    this.#options.gpu.recorder.write(tensor, values);
    return tensor;
  }

  /** A convolution [out, in, size, size] with bias, in the scalar type and the backend's layout. */
  async kernel2d(name: string, out: number, inputs: number, size: number): Promise<Kernel2d> {
    const { kernelLayout = "oihw" } = this.#options;
    return this.#kernel2d(name, [out, inputs, size], kernelConversion([out, inputs, size], kernelLayout));
  }

  /** A 3×3 convolution after a nearest upsampling by two. With the layout `ohwi`, upsampling becomes part of the convolution. */
  async upsamplingKernel2d(name: string, channels: number): Promise<Kernel2d> {
    if (this.#options.kernelLayout !== "ohwi") return this.kernel2d(name, channels, channels, 3);
    const kernel = await this.#kernel2d(name, [channels, channels, 3], upsamplingConversion(channels, channels));
    return { ...kernel, size: 2, upsamples: true };
  }

  async #kernel2d(
    name: string,
    [out, inputs, size]: readonly [out: number, inputs: number, size: number],
    { shape, convert }: KernelConversion,
  ): Promise<Kernel2d> {
    const { store, withoutValues } = this.#options;
    store.expectShape(`${name}.weight`, [out, inputs, size, size]);
    store.expectShape(`${name}.bias`, [out]);
    const stored = await this.#readAll(`${name}.weight`);
    const weight = this.#scalars(`${name}.weight`, shape, withoutValues ? stored : convert(stored));
    const bias = this.#scalars(`${name}.bias`, [out], await this.#readAll(`${name}.bias`));
    return { name, out, in: paddedChannels(inputs), size, weight, bias };
  }

  #layout(source: MatrixSource): MatrixLayout {
    const { store, scalar, quantization } = this.#options;
    store.expectShape(source.name, source.shape);
    const rows = source.rows?.[1] ?? source.shape[0];
    const columns = source.columns?.[1] ?? source.shape[1];
    const quantized = quantization !== "none" && source.quantize !== false && columns % QUANTIZATION_BLOCK === 0;
    const format = quantized ? quantization : scalar;
    const bits = format === "q4" || format === "q8" ? QUANTIZATION_BITS[format] : 8 * BYTES_PER_ELEMENT[format];
    const rowBytes = (columns * bits) / 8;
    const wholeBlocks = (source.columns?.[0] ?? 0) % QUANTIZATION_BLOCK === 0;
    const packed = quantized && wholeBlocks && store.packedFormat(source.name) === format;
    return { source, format, packed, rowBytes, columns, rows };
  }

  /** Allocates rows of a matrix, and loads their bias. */
  async #allocatePiece(layout: MatrixLayout, firstRow: number, rows: number): Promise<MatrixPiece> {
    const { source, format, columns } = layout;
    const bias = source.bias === undefined ? {} : { bias: await this.#bias(source.bias, source, firstRow, rows) };
    if (format === "f32" || format === "f16")
      return { firstRow, rows, values: this.#allocate(source.name, format, [rows, columns]), ...bias };
    const blocks = columns / QUANTIZATION_BLOCK;
    const values = this.#allocate(source.name, "u8", [
      rows,
      blocks,
      (QUANTIZATION_BLOCK * QUANTIZATION_BITS[format]) / 8,
    ]);
    const scales = this.#allocate(`${source.name} scales`, this.#options.scalar, [rows * blocks]);
    return { firstRow, rows, values, scales, ...bias };
  }

  async #read({ name, row, rows, packed }: WindowRead): Promise<Float32Array<ArrayBuffer> | PackedRows> {
    const { store, signal, withoutValues } = this.#options;
    if (withoutValues) return NO_VALUES;
    return packed ? store.readPacked(name, row, rows, signal) : store.readRows(name, row, rows, signal);
  }

  /** Writes a window of a piece. `stored` has whole rows of the stored matrix. */
  #fill(
    piece: MatrixPiece,
    { source, format, columns, rowBytes }: MatrixLayout,
    { first, rows }: WindowRead,
    stored: Float32Array<ArrayBuffer> | PackedRows,
  ): void {
    const { gpu, store, scalar, quantizationMethod, onBytes, withoutValues } = this.#options;
    if (withoutValues) return;
    const slice = <T extends Float32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>>(values: T): T =>
      sliceColumns(values, rows, source);
    if (format === "f32" || format === "f16")
      gpu.recorder.write(piece.values, toScalar(slice(stored as Float32Array<ArrayBuffer>), scalar), first * rowBytes);
    else {
      const { packed, scales } =
        stored instanceof Float32Array
          ? quantizeRows(slice(stored), rows, columns, QUANTIZATION_BITS[format], quantizationMethod)
          : { packed: slice(stored.packed), scales: slice(stored.scales) };
      const scaleRowBytes = (columns / QUANTIZATION_BLOCK) * BYTES_PER_ELEMENT[scalar];
      gpu.recorder.write(piece.values, packed, first * rowBytes);
      gpu.recorder.write(piece.scales!, toScalar(scales, scalar), first * scaleRowBytes);
    }
    onBytes?.(store.bytesOf(source.name, (rows * columns) / source.shape[1]));
  }

  async #bias(name: string, { rows, shape }: MatrixSource, firstRow: number, count: number): Promise<Tensor> {
    const { gpu, store, scalar, signal, onBytes, withoutValues } = this.#options;
    store.expectShape(name, [shape[0]]);
    const tensor = this.#allocate(name, scalar, [count]);
    if (withoutValues) return tensor;
    const values = await store.readRows(name, (rows?.[0] ?? 0) + firstRow, count, signal);
    gpu.recorder.write(tensor, toScalar(values, scalar));
    onBytes?.(store.bytesOf(name, count));
    return tensor;
  }

  #scalars(name: string, shape: readonly number[], values: Float32Array<ArrayBuffer>): Tensor {
    const { gpu, scalar } = this.#options;
    const tensor = this.#allocate(name, scalar, shape);
    gpu.recorder.write(tensor, toScalar(values, scalar));
    return tensor;
  }

  async #readAll(name: string): Promise<Float32Array<ArrayBuffer>> {
    const { store, signal, onBytes, withoutValues } = this.#options;
    if (withoutValues) return NO_VALUES;
    const values = await store.readAll(name, signal);
    onBytes?.(store.bytesOf(name));
    return values;
  }

  #allocate(name: string, dtype: "f32" | "f16" | "u8", shape: readonly number[]): Tensor {
    const tensor = this.#options.gpu.memory.tensor(this.#options.part, name, dtype, shape);
    this.#loaded.push(tensor);
    return tensor;
  }
}

/** Converts values to the scalar type, and pads them to whole words. */
export function toScalar(
  values: Float32Array<ArrayBuffer>,
  scalar: ScalarType,
): Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer> {
  if (scalar === "f32") return values;
  if (values.length % 2 === 0) return f32ToF16(values);
  const padded = new Float32Array(values.length + 1);
  padded.set(values);
  return f32ToF16(padded);
}
