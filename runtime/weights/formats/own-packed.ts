import { KleinbildError } from "../../errors.ts";
import type { TensorEntry } from "./safetensors-header.ts";
import type { ModelFile } from "../sources/model-source.ts";
import { type Codec, readRowBytes } from "./codec.ts";
import { BF16, F16, F32 } from "./gguf-types.ts";
import type { PackedRows, StoredTensor } from "./tensor-file.ts";

/** Values that share a scale. */
const BLOCK = 32;

const SCALES: Readonly<Record<string, Codec>> = { F32, F16, BF16 };

/** Entries of a packed tensor. */
interface PackedEntries {
  readonly name: string;
  readonly codes: TensorEntry;
  readonly scales: TensorEntry;
}

/**
 * A tensor in the packed layout of the kernels: codes U8 [rows, in / 32, 32 · bits / 8] under its name, and scales
 * [rows, in / 32] (F32, F16 or BF16) under its name with `.scales`.
 *
 * @throws KleinbildError `invalid-model` when codes and scales do not match
 */
export function packedTensor(file: ModelFile, path: string, { name, codes, scales }: PackedEntries): StoredTensor {
  const [rows = 0, blocks = 0, blockBytes = 0] = codes.shape;
  const bits = blockBytes === 16 ? 4 : 8;
  const scaleCodec = Object.hasOwn(SCALES, scales.type) ? SCALES[scales.type] : undefined;
  const fits = codes.shape.length === 3 && (blockBytes === 16 || blockBytes === BLOCK);
  const scalesFit = scales.shape.length === 2 && scales.shape[0] === rows && scales.shape[1] === blocks;
  if (!fits || !scalesFit || !scaleCodec)
    throw new KleinbildError(
      "invalid-model",
      `${path}: ${name} has codes U8 [${codes.shape.join(", ")}] and scales ${scales.type} [${scales.shape.join(", ")}]; ` +
        "[rows, in / 32, 16 or 32] and floats [rows, in / 32] were expected.",
      { tensor: name },
    );
  const codeRows = {
    file,
    name,
    shape: codes.shape,
    offset: codes.offset,
    codec: { type: "U8", blockValues: 1, blockBytes: 1, decode: (bytes: Uint8Array) => Float32Array.from(bytes) },
  };
  const scaleRows = { file, name, shape: scales.shape, offset: scales.offset, codec: scaleCodec };
  const readPacked = async (first: number, count: number, signal?: AbortSignal): Promise<PackedRows> => {
    const [packed, bytes] = await Promise.all([
      readRowBytes(codeRows, first, count, signal),
      readRowBytes(scaleRows, first, count, signal),
    ]);
    return { packed, scales: scaleCodec.decode(bytes) };
  };
  return {
    name,
    type: bits === 4 ? "KB_Q4" : "KB_Q8",
    shape: [rows, blocks * BLOCK],
    bytes: codes.bytes + scales.bytes,
    readRows: async (first, count, signal) => unpack(await readPacked(first, count, signal), bits),
    packed: { format: bits === 4 ? "q4" : "q8", readRows: readPacked },
  };
}

/** Values of packed rows: (code − 2^(bits − 1)) · scale. */
export function unpack({ packed, scales }: PackedRows, bits: 4 | 8): Float32Array<ArrayBuffer> {
  const values = new Float32Array((packed.length * 8) / bits);
  if (bits === 8) for (let i = 0; i < values.length; i++) values[i] = (packed[i]! - 128) * scales[i >> 5]!;
  else
    for (let i = 0; i < packed.length; i++) {
      const scale = scales[i >> 4]!;
      values[2 * i] = ((packed[i]! & 15) - 8) * scale;
      values[2 * i + 1] = ((packed[i]! >> 4) - 8) * scale;
    }
  return values;
}
