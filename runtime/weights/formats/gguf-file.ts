import { KleinbildError } from "../../errors.ts";
import type { ModelFile } from "../sources/model-source.ts";
import { type Codec, product, readRowBytes, readRowValues, type StoredValues } from "./codec.ts";
import { type GgufTensor, invalidGguf, readGgufHeader } from "./gguf-header.ts";
import { packQ4_0, packQ8_0 } from "./gguf-packed.ts";
import { GGUF_TYPES } from "./gguf-types.ts";
import type { PackedRows, PackedTensor, StoredTensor, TensorFile } from "./tensor-file.ts";

/** Types that can be converted to the packed layout of the kernels without loss. */
const PACKED: Readonly<Record<string, readonly [PackedTensor["format"], (bytes: Uint8Array) => PackedRows]>> = {
  Q4_0: ["q4", packQ4_0],
  Q8_0: ["q8", packQ8_0],
};

/** @throws KleinbildError `invalid-model` when the header does not match itself or the file, `unsupported` for other versions */
export async function openGguf(file: ModelFile, path: string, signal?: AbortSignal): Promise<TensorFile> {
  const { metadata, tensors, dataStart } = await readGgufHeader(file, path, signal);
  const stored = new Map<string, StoredTensor>();
  let end = dataStart;
  for (const tensor of tensors.toSorted((a, b) => a.offset - b.offset)) {
    const codec = GGUF_TYPES.get(tensor.type);
    const offset = dataStart + tensor.offset;
    if (offset < end) throw invalidGguf(path, `${tensor.name} starts at byte ${offset}, within another tensor`);
    const bytes = codec ? tensorBytes(tensor, codec, path) : 0;
    if (offset + bytes > file.size)
      throw invalidGguf(
        path,
        `${tensor.name} ends at byte ${offset + bytes}, and the file has ${file.size}; it may be cut off`,
      );
    end = offset + bytes;
    const { name, shape } = tensor;
    stored.set(name, codec ? readable({ file, name, shape, offset, codec }, bytes) : unreadable(tensor, path));
  }
  return { path, format: "gguf", tensors: stored, metadata };
}

function tensorBytes({ name, shape }: GgufTensor, { type, blockValues, blockBytes }: Codec, path: string): number {
  const width = shape.at(-1) ?? 1;
  if (width % blockValues !== 0)
    throw invalidGguf(path, `${name} has rows of ${width} values; ${type} needs a multiple of ${blockValues}`);
  const bytes = (product(shape) / blockValues) * blockBytes;
  if (!Number.isSafeInteger(bytes)) throw invalidGguf(path, `${name} has the impossible shape [${shape.join(", ")}]`);
  return bytes;
}

/** @param bytes  of the tensor in the file */
function readable(values: StoredValues, bytes: number): StoredTensor {
  const { name, shape, codec } = values;
  const packed = PACKED[codec.type];
  return {
    name,
    type: codec.type,
    shape,
    bytes,
    readRows: (first, rows, signal) => readRowValues(values, first, rows, signal),
    ...(packed &&
      shape.length > 1 && {
        packed: {
          format: packed[0],
          readRows: async (first, rows, signal) => packed[1](await readRowBytes(values, first, rows, signal)),
        },
      }),
  };
}

/** A tensor of an unsupported type. Only reading its values is an error. */
function unreadable({ name, shape, type }: GgufTensor, path: string): StoredTensor {
  const known = [...GGUF_TYPES.values()].map((codec) => codec.type).join(", ");
  return {
    name,
    type: `GGML type ${type}`,
    shape,
    bytes: 0,
    readRows: async () => {
      throw new KleinbildError(
        "unsupported",
        `${path}: ${name} has the GGML type ${type}; supported types are ${known}.`,
        {
          tensor: name,
        },
      );
    },
  };
}
