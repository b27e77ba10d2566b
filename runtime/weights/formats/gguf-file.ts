import { KleinbildError } from "../../errors.ts";
import type { ModelFile } from "../sources/model-source.ts";
import { type Codec, product, readRowBytes, readRowValues, type StoredValues } from "./codec.ts";
import { type GgufTensor, invalidGguf, readGgufHeader } from "./gguf-header.ts";
import { packQ4_0, packQ8_0 } from "./gguf-packed.ts";
import { GGUF_TYPES } from "./gguf-types.ts";
import type { PackedRows, PackedTensor, StoredTensor, TensorFile } from "./tensor-file.ts";

/** Types that become the kernels' layout by moving bits. */
const PACKED: Readonly<Record<string, readonly [PackedTensor["format"], (bytes: Uint8Array) => PackedRows]>> = {
  Q4_0: ["q4", packQ4_0],
  Q8_0: ["q8", packQ8_0],
};

/** @throws KleinbildError `invalid-model` when the header contradicts itself or the file, `unsupported` for other versions */
export async function openGguf(file: ModelFile, path: string, signal?: AbortSignal): Promise<TensorFile> {
  const { metadata, tensors, dataStart } = await readGgufHeader(file, path, signal);
  const stored = new Map<string, StoredTensor>();
  let end = dataStart;
  for (const tensor of tensors.toSorted((a, b) => a.offset - b.offset)) {
    const codec = GGUF_TYPES.get(tensor.type);
    const offset = dataStart + tensor.offset;
    if (offset < end) throw invalidGguf(path, `${tensor.name} begins within another tensor, at byte ${offset}`);
    const bytes = codec ? tensorBytes(tensor, codec, path) : 0;
    if (offset + bytes > file.size)
      throw invalidGguf(path, `${tensor.name} ends at byte ${offset + bytes}, and it has ${file.size}`);
    end = offset + bytes;
    stored.set(tensor.name, codec ? readable(file, tensor, offset, bytes, codec) : unreadable(tensor, path));
  }
  return { path, format: "gguf", tensors: stored, metadata };
}

function tensorBytes({ name, shape }: GgufTensor, { type, blockValues, blockBytes }: Codec, path: string): number {
  const width = shape.at(-1) ?? 1;
  if (width % blockValues !== 0)
    throw invalidGguf(path, `${name} has rows of ${width} values, in ${type}, whose blocks have ${blockValues}`);
  const bytes = (product(shape) / blockValues) * blockBytes;
  if (!Number.isSafeInteger(bytes)) throw invalidGguf(path, `${name} has the shape [${shape.join(", ")}]`);
  return bytes;
}

function readable(
  file: ModelFile,
  { name, shape }: GgufTensor,
  offset: number,
  bytes: number,
  codec: Codec,
): StoredTensor {
  const values: StoredValues = { file, name, shape, offset, codec };
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

/** A tensor of a type that is not read: an error only for whoever wants it. */
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
        `${path}: ${name} is stored in GGML's type ${type}; ${known} can be read.`,
        {
          tensor: name,
        },
      );
    },
  };
}
