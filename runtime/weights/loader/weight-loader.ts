import {
  type Kernel2d,
  type KernelLayout,
  type Matrix,
  type MatrixPiece,
  paddedChannels,
  type WeightFormat,
} from "../../backend/matrix.ts";
import type { Gpu } from "../../gpu/device.ts";
import type { MemoryCategory } from "../../gpu/memory.ts";
import { BYTES_PER_ELEMENT, type RowRange, rowRanges, type ScalarType, type Tensor } from "../../gpu/tensor.ts";
import { f32ToF16 } from "../float.ts";
import type { PackedRows } from "../formats/tensor-file.ts";
import { type KernelLaying, kernelLaying, upsamplingLaying } from "./kernel-layout.ts";
import { QUANTIZATION_BITS, QUANTIZATION_BLOCK, type QuantizationMethod, quantizeRows } from "../quantize.ts";
import { readAhead } from "../read-ahead.ts";
import type { TensorStore } from "../tensor-store.ts";

/**
 * How block matrices are stored on the GPU. `none`: in the engine's scalar type. `q8`, `q4`: in 8 or 4 bits, in blocks of 32
 * with one scale.
 */
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
  /** Vector of the stored matrix's output rows. */
  readonly bias?: string;
  /** False for what loses too much by quantization: embedders, modulation, final layer. */
  readonly quantize?: boolean;
}

/** A source and what it becomes on the GPU. */
interface Layout {
  readonly source: MatrixSource;
  readonly format: WeightFormat;
  /** Whether the file has it in this format. */
  readonly packed: boolean;
  readonly rows: number;
  readonly columns: number;
  /** Bytes of one row's values. */
  readonly rowBytes: number;
}

/** Rows of a stored matrix, and the parts of a window that lie in them. */
interface WindowRead {
  readonly name: string;
  readonly row: number;
  readonly rows: number;
  /** As the kernels read them, instead of f32. */
  readonly packed: boolean;
  /** Rows of the pieces that the window is in. */
  readonly piece: RowRange;
  /** First row, in the piece. */
  readonly first: number;
  readonly layouts: readonly Layout[];
}

/** Host memory taken by one window of a matrix on its way to the GPU, in f32; the next one is read meanwhile. */
export const WINDOW_BYTES = 8 << 20;

export interface LoaderOptions {
  readonly gpu: Gpu;
  readonly store: TensorStore;
  readonly part: MemoryCategory;
  readonly scalar: ScalarType;
  readonly quantization: Quantization;
  /** Default: `rtn`. */
  readonly quantizationMethod?: QuantizationMethod | undefined;
  /** Default: `oihw`, as in the files. */
  readonly kernelLayout?: KernelLayout | undefined;
  /** Allocates and reads nothing: for a device that does nothing. */
  readonly withoutValues?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called with the bytes of what has been read for the GPU, window by window, as they lie in the file. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

const NO_VALUES = new Float32Array();

/** Streams the tensors of one part of a model to the GPU, window by window, quantizing on the way. */
export class WeightLoader {
  readonly #options: LoaderOptions;
  readonly #loaded: Tensor[] = [];

  constructor(options: LoaderOptions) {
    this.#options = options;
  }

  /** Frees everything loaded so far: when a load fails, and when the part is given up. */
  dispose(): void {
    this.#options.gpu.memory.freeTensors(...this.#loaded);
    this.#loaded.length = 0;
  }

  async matrix(source: MatrixSource): Promise<Matrix> {
    return (await this.aligned([source]))[0]!;
  }

  /** Matrices of equally many output rows, cut at the same rows when one of them is above the binding limit. */
  async aligned(sources: readonly MatrixSource[]): Promise<Matrix[]> {
    const layouts = sources.map((source) => this.#layout(source));
    const { maxBindingBytes } = this.#options.gpu.memory;
    const fitting = Math.min(...layouts.map(({ rowBytes }) => Math.floor(maxBindingBytes / rowBytes)));
    const reads = windowReads(layouts, rowsPerPiece(fitting));
    const pieces = new Map(layouts.map((layout): [Layout, MatrixPiece[]] => [layout, []]));
    let current: RowRange | undefined;
    const { signal } = this.#options;
    for await (const [read, stored] of readAhead(reads, (next) => this.#read(next), signal)) {
      if (read.piece !== current) {
        current = read.piece;
        // one after the other: nothing may be allocated any more when an abort has ended the load
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

  /** A convolution [out, in, size, size] with bias, in the scalar type and the backend's layout. */
  async kernel2d(name: string, out: number, inputs: number, size: number): Promise<Kernel2d> {
    const { kernelLayout = "oihw" } = this.#options;
    return this.#kernel2d(name, [out, inputs, size], kernelLaying([out, inputs, size], kernelLayout));
  }

  /** The 3×3 convolution after a nearest upsampling by two, which the layout `ohwi` folds into it. */
  async upsamplingKernel2d(name: string, channels: number): Promise<Kernel2d> {
    if (this.#options.kernelLayout !== "ohwi") return this.kernel2d(name, channels, channels, 3);
    const kernel = await this.#kernel2d(name, [channels, channels, 3], upsamplingLaying(channels, channels));
    return { ...kernel, size: 2, upsamples: true };
  }

  async #kernel2d(
    name: string,
    [out, inputs, size]: readonly [out: number, inputs: number, size: number],
    { shape, layOut }: KernelLaying,
  ): Promise<Kernel2d> {
    const { store, withoutValues } = this.#options;
    store.expectShape(`${name}.weight`, [out, inputs, size, size]);
    store.expectShape(`${name}.bias`, [out]);
    const stored = await this.#readAll(`${name}.weight`);
    const weight = this.#scalars(`${name}.weight`, shape, withoutValues ? stored : layOut(stored));
    const bias = this.#scalars(`${name}.bias`, [out], await this.#readAll(`${name}.bias`));
    return { name, out, in: paddedChannels(inputs), size, weight, bias };
  }

  #layout(source: MatrixSource): Layout {
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

  /** Room for rows `firstRow …` of a matrix, with their bias. */
  async #allocatePiece(layout: Layout, firstRow: number, rows: number): Promise<MatrixPiece> {
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

  /** A window of a piece, from all columns of its rows. */
  #fill(
    piece: MatrixPiece,
    { source, format, columns, rowBytes }: Layout,
    { first, rows }: WindowRead,
    stored: Float32Array<ArrayBuffer> | PackedRows,
  ): void {
    const { gpu, store, scalar, quantizationMethod, onBytes, withoutValues } = this.#options;
    if (withoutValues) return;
    const isPart = columns !== source.shape[1];
    const slice = <T extends Float32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>>(values: T): T =>
      isPart ? sliceColumns(values, rows, source.shape[1], source.columns?.[0] ?? 0, columns) : values;
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

/** Values in the scalar type, padded to whole words. */
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

/** Rows of a piece: kernels write four outputs at a time, as far as so many fit. */
export function rowsPerPiece(fitting: number): number {
  return fitting >= 4 ? Math.floor(fitting / 4) * 4 : Math.max(1, fitting);
}

/** The reads that bring matrices to the GPU, in order; parts by columns of one matrix share them. */
function windowReads(layouts: readonly Layout[], pieceRows: number): WindowRead[] {
  const rowsPerWindow = Math.min(...layouts.map(({ source }) => windowRows(source.shape[1])));
  const reads: WindowRead[] = [];
  for (const piece of rowRanges(layouts[0]!.rows, pieceRows))
    for (const { first, count: rows } of rowRanges(piece.count, rowsPerWindow)) {
      const shared = new Map<string, WindowRead & { layouts: Layout[] }>();
      for (const layout of layouts) {
        const { source, packed } = layout;
        const { name } = source;
        const row = (source.rows?.[0] ?? 0) + piece.first + first;
        const key = `${row} ${packed} ${name}`;
        const read = shared.get(key);
        if (read) read.layouts.push(layout);
        else shared.set(key, { name, row, rows, packed, piece, first, layouts: [layout] });
      }
      reads.push(...shared.values());
    }
  return reads;
}

/** Rows of a window; an even number, since f16 is written in words of two. */
function windowRows(columns: number): number {
  const pairs = Math.floor(WINDOW_BYTES / (columns * BYTES_PER_ELEMENT.f32) / 2);
  return 2 * Math.max(1, pairs);
}

/** Columns of rows of `stored` columns; the values may be of blocks of them, or bytes that hold some. */
function sliceColumns<T extends Float32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>>(
  values: T,
  rows: number,
  stored: number,
  first: number,
  columns: number,
): T {
  const rowLength = values.length / rows;
  const [start, length] = [(first * rowLength) / stored, (columns * rowLength) / stored];
  const slice = values.slice(0, rows * length) as T;
  for (let row = 0; row < rows; row++)
    slice.set(values.subarray(row * rowLength + start, row * rowLength + start + length), row * length);
  return slice;
}
