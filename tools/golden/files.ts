import type { ModelSource } from "../../runtime/weights/sources/model-source.ts";

/** A folder of goldens, on disk or behind a server. */
export interface GoldenFiles {
  /** Sorted names of the folders in `cases/`. */
  readonly cases: readonly string[];
  /** A file by its path in the folder. */
  read(path: string): Promise<Uint8Array<ArrayBuffer>>;
  /** The model `models/<name>`. */
  model(name: string): ModelSource;
  /** tokenizer.json of the real model, for cases of the kind `tokenizer`. */
  qwen3Tokenizer(): Promise<unknown>;
}

export interface GoldenTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;
}

/** Reads all tensors of a small safetensors file (F32, I32, U8). */
export function readTensors(bytes: Uint8Array<ArrayBuffer>): ReadonlyMap<string, GoldenTensor> {
  const headerBytes = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + headerBytes))) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  const tensors = new Map<string, GoldenTensor>();
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const [start, end] = entry.data_offsets.map((offset) => 8 + headerBytes + offset) as [number, number];
    const data = bytes.slice(start, end).buffer;
    tensors.set(name, { shape: entry.shape, values: typed(entry.dtype, data, name) });
  }
  return tensors;
}

function typed(type: string, data: ArrayBuffer, name: string): GoldenTensor["values"] {
  if (type === "F32") return new Float32Array(data);
  if (type === "I32") return new Int32Array(data);
  if (type === "U8") return new Uint8Array(data);
  throw new Error(`${name}: goldens hold F32, I32 and U8; got ${type}`);
}
