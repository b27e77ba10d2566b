import { KleinbildError } from "../../errors.ts";
import { f32ToF16 } from "../float.ts";
import type { PackedRows } from "../formats/tensor-file.ts";
import type { InventoryTensor } from "../inventory.ts";
import {
  QUANTIZATION_BITS,
  QUANTIZATION_BLOCK,
  quantizationError,
  type QuantizationMethod,
  quantizeRows,
} from "../quantize.ts";
import { readAhead } from "../read-ahead.ts";
import type { TensorStore } from "../tensor-store.ts";

/** Values that are read, converted and written at a time. */
const WINDOW_VALUES = 2 << 20;
const HEADER_ALIGNMENT = 8;

export interface RepackOptions {
  readonly quantization: "q8" | "q4";
  readonly method: QuantizationMethod;
  readonly signal?: AbortSignal | undefined;
  /** Called with the bytes that were read from the files. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

export interface RepackReport {
  /** Size of the new file. */
  readonly bytes: number;
  /** Values that were quantized. Packed values are copied and do not count. */
  readonly quantizedValues: number;
  /** Root mean square of the error relative to the root mean square of the values, from the first window of each matrix. */
  readonly relativeError: number;
}

/** How a tensor is stored in the new file. */
type Output = {
  readonly tensor: InventoryTensor;
  /** Values per row. */
  readonly width: number;
} & (
  | { readonly kind: "packed"; readonly isPacked: boolean }
  | { readonly kind: "plain"; readonly type: "F32" | "F16" | "BF16" }
);

interface Window {
  readonly output: Output;
  readonly first: number;
  readonly rows: number;
}

const BYTES = { F32: 4, F16: 2, BF16: 2 } as const;

/**
 * Writes the tensors of a part to a safetensors file. Block matrices are packed as the kernels read them: codes U8
 * [rows, in / 32, 32 · bits / 8] under the tensor's name, and scales F16 [rows, in / 32] under its name with `.scales`. Other
 * tensors keep their type, or become F16 if it is a quantized one. Only one window and the scales of a matrix are held in RAM.
 *
 * @param write  receives the file from start to end
 */
export async function repackPart(
  store: TensorStore,
  tensors: readonly InventoryTensor[],
  options: RepackOptions,
  write: (bytes: Uint8Array<ArrayBuffer>) => Promise<void>,
): Promise<RepackReport> {
  const { quantization, method, signal, onBytes } = options;
  const bits = QUANTIZATION_BITS[quantization];
  const outputs = tensors.map((tensor) => outputOf(store, tensor, quantization));
  const header = buildHeader(outputs, bits);
  await write(header);
  let bytes = header.length;
  let quantizedValues = 0;
  let error = 0;
  let norm = 0;
  const put = async (values: ArrayBufferView<ArrayBuffer>): Promise<void> => {
    await write(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    bytes += values.byteLength;
  };
  const read = async ({ output, first, rows }: Window): Promise<Float32Array<ArrayBuffer> | PackedRows> => {
    const { name } = output.tensor;
    const isPacked = output.kind === "packed" && output.isPacked;
    return isPacked ? store.readPacked(name, first, rows, signal) : store.readRows(name, first, rows, signal);
  };
  let scales: Uint16Array<ArrayBuffer>[] = [];
  for await (const [window, stored] of readAhead(windowsOf(outputs), read, signal)) {
    const { output, first, rows } = window;
    const { tensor, width } = output;
    if (output.kind === "plain") await put(encode(stored as Float32Array<ArrayBuffer>, output.type));
    else {
      const packed = stored instanceof Float32Array ? quantizeRows(stored, rows, width, bits, method) : stored;
      if (stored instanceof Float32Array) {
        assertFinite(packed, tensor.name);
        quantizedValues += stored.length;
        if (first === 0) {
          const sample = quantizationError(stored, packed, bits);
          error += sample.error;
          norm += sample.norm;
        }
      }
      await put(packed.packed);
      scales.push(f32ToF16(packed.scales));
      if (first + rows === tensor.shape[0]) {
        for (const rows of scales) await put(rows);
        scales = [];
      }
    }
    onBytes?.(store.bytesOf(tensor.name, rows));
  }
  return { bytes, quantizedValues, relativeError: norm === 0 ? 0 : Math.sqrt(error / norm) };
}

function outputOf(store: TensorStore, tensor: InventoryTensor, quantization: "q8" | "q4"): Output {
  const { name, shape, role } = tensor;
  store.expectShape(name, shape);
  const width = shape.slice(1).reduce((all, size) => all * size, 1);
  if (role === "block" && width % QUANTIZATION_BLOCK === 0)
    return { tensor, width, kind: "packed", isPacked: store.packedFormat(name) === quantization };
  const type = store.typeOf(name);
  return { tensor, width, kind: "plain", type: type === "F32" || type === "BF16" ? type : "F16" };
}

function buildHeader(outputs: readonly Output[], bits: 4 | 8): Uint8Array<ArrayBuffer> {
  const entries: Record<string, unknown> = { __metadata__: { format: "kleinbild", "kleinbild.packed": "1" } };
  let end = 0;
  const add = (name: string, dtype: string, shape: readonly number[], bytes: number): void => {
    entries[name] = { dtype, shape, data_offsets: [end, (end += bytes)] };
  };
  for (const output of outputs) {
    const { name, shape } = output.tensor;
    const values = shape.reduce((all, size) => all * size, 1);
    if (output.kind === "plain") add(name, output.type, shape, values * BYTES[output.type]);
    else {
      const blocks = [shape[0]!, output.width / QUANTIZATION_BLOCK];
      add(name, "U8", [...blocks, (QUANTIZATION_BLOCK * bits) / 8], (values * bits) / 8);
      add(`${name}.scales`, "F16", blocks, (values / QUANTIZATION_BLOCK) * BYTES.F16);
    }
  }
  const json = JSON.stringify(entries);
  const text = new TextEncoder().encode(json.padEnd(Math.ceil(json.length / HEADER_ALIGNMENT) * HEADER_ALIGNMENT));
  const header = new Uint8Array(8 + text.length);
  new DataView(header.buffer).setBigUint64(0, BigInt(text.length), true);
  header.set(text, 8);
  return header;
}

function windowsOf(outputs: readonly Output[]): Window[] {
  return outputs.flatMap((output) => {
    const [rows = 1] = output.tensor.shape;
    const most = Math.max(1, Math.floor(WINDOW_VALUES / output.width));
    const windows: Window[] = [];
    for (let first = 0; first < rows; first += most)
      windows.push({ output, first, rows: Math.min(most, rows - first) });
    return windows;
  });
}

function encode(values: Float32Array<ArrayBuffer>, type: "F32" | "F16" | "BF16"): ArrayBufferView<ArrayBuffer> {
  if (type === "F32") return values;
  if (type === "F16") return f32ToF16(values);
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(words.length);
  for (let i = 0; i < words.length; i++) halves[i] = words[i]! >>> 16; // exact: the values were BF16
  return halves;
}

function assertFinite({ scales }: PackedRows, name: string): void {
  if (!scales.every((scale) => Number.isFinite(scale)))
    throw new KleinbildError(
      "invalid-model",
      `${name} has NaN or infinite values: the file is damaged. Download it again.`,
      {
        tensor: name,
      },
    );
}
