import { KleinbildError } from "../../errors.ts";
import { bf16ToF32, f16ToF32 } from "../float.ts";
import { isReadable, readSafetensorsHeader, SAFETENSORS_BYTES, type TensorEntry } from "../safetensors.ts";
import type { ModelFile, ModelSource } from "../source.ts";
import type { StoredTensor, TensorFile } from "./tensor-file.ts";

/** Opens a file of tensors. @throws KleinbildError `missing-file`, or `invalid-model` when it is damaged */
export async function openTensorFile(source: ModelSource, path: string, signal?: AbortSignal): Promise<TensorFile> {
  const file = await source.open(path, signal);
  const entries = await readSafetensorsHeader(file, path, signal);
  const tensors = [...entries].map(([name, entry]): [string, StoredTensor] => [name, stored(file, path, name, entry)]);
  return { path, format: "safetensors", tensors: new Map(tensors), metadata: new Map() };
}

function stored(file: ModelFile, path: string, name: string, entry: TensorEntry): StoredTensor {
  const { type, shape, bytes } = entry;
  const [count = 1, ...row] = shape;
  return {
    name,
    type,
    shape,
    bytes,
    readRows: async (first, rows, signal) => {
      if (!isReadable(type))
        throw new KleinbildError(
          "invalid-model",
          `${path}: ${name} is stored as ${type}; ${Object.keys(SAFETENSORS_BYTES).join(", ")} can be read.`,
          { tensor: name },
        );
      if (first < 0 || rows < 0 || first + rows > count)
        throw new KleinbildError(
          "invalid-shape",
          `${name} has ${count} rows; ${rows} from row ${first} were asked for.`,
          { tensor: name },
        );
      const rowBytes = row.reduce((product, size) => product * size, SAFETENSORS_BYTES[type]);
      const read = await file.read(entry.offset + first * rowBytes, rows * rowBytes, signal);
      signal?.throwIfAborted();
      switch (type) {
        case "F32":
          return new Float32Array(read.buffer);
        case "BF16":
          return bf16ToF32(new Uint16Array(read.buffer));
        case "F16":
          return f16ToF32(new Uint16Array(read.buffer));
        default:
          return type satisfies never;
      }
    },
  };
}
