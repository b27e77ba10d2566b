import { KleinbildError } from "../../errors.ts";
import { e4m3ToF32, e5m2ToF32 } from "../float.ts";
import { readSafetensorsHeader, type TensorEntry } from "./safetensors-header.ts";
import type { ModelFile } from "../sources/model-source.ts";
import { type Codec, product, readRowValues } from "./codec.ts";
import { BF16, F16, F32 } from "./gguf-types.ts";
import { mlxTensors, type MlxQuantization } from "./mlx.ts";
import { packedTensor } from "./own-packed.ts";
import type { StoredTensor, TensorFile } from "./tensor-file.ts";

const FLOAT8 = {
  F8_E4M3: { type: "F8_E4M3", blockValues: 1, blockBytes: 1, decode: e4m3ToF32 },
  F8_E5M2: { type: "F8_E5M2", blockValues: 1, blockBytes: 1, decode: e5m2ToF32 },
} as const satisfies Record<string, Codec>;
const CODECS: Readonly<Record<string, Codec>> = { F32, F16, BF16, ...FLOAT8 };

/** Suffixes of the f32 that scales an f8 tensor `x.weight`: by BFL and diffusers, ComfyUI, ModelOpt. */
const SCALE_SUFFIXES = [".weight_scale", ".scale_weight", ".scale"] as const;
/** Tensors beside f8 ones that are not needed: scales of activations, and marks that weights are quantized. */
const IGNORED = /(^|\.)(input_scale|scale_input|scaled_fp8|comfy_quant)$/;

/** @throws KleinbildError `invalid-model` when the header does not match itself or the file */
export async function openSafetensors(
  file: ModelFile,
  path: string,
  quantization?: MlxQuantization,
  signal?: AbortSignal,
): Promise<TensorFile> {
  const header = await readSafetensorsHeader(file, path, signal);
  const { tensors: entries, metadata } = header;
  const tensors = new Map<string, StoredTensor>();
  const companions = new Set<string>();
  for (const { tensor, companions: taken } of mlxTensors(file, path, header, quantization)) {
    tensors.set(tensor.name, tensor);
    for (const name of taken) companions.add(name);
  }
  for (const [name, entry] of entries) {
    if (tensors.has(name) || IGNORED.test(name)) continue;
    const scales = entries.get(`${name}.scales`);
    if (entry.type === "U8" && scales) {
      tensors.set(name, packedTensor(file, path, { name, codes: entry, scales }));
      companions.add(`${name}.scales`);
    } else if (Object.hasOwn(FLOAT8, entry.type)) {
      const scaleName = scaleOf(name, entries);
      if (scaleName !== undefined) companions.add(scaleName);
      const scale = scaleName === undefined ? undefined : entries.get(scaleName);
      tensors.set(name, plain(file, path, { name, entry, scale }));
    } else tensors.set(name, plain(file, path, { name, entry }));
  }
  for (const name of companions) tensors.delete(name);
  return { path, format: "safetensors", tensors, metadata };
}

function scaleOf(name: string, entries: ReadonlyMap<string, TensorEntry>): string | undefined {
  const base = name.replace(/\.weight$/, "");
  return SCALE_SUFFIXES.map((suffix) => `${base}${suffix}`).find((scale) => scale !== name && entries.has(scale));
}

interface PlainEntries {
  readonly name: string;
  readonly entry: TensorEntry;
  /** One f32 that multiplies all values. */
  readonly scale?: TensorEntry | undefined;
}

function plain(file: ModelFile, path: string, { name, entry, scale }: PlainEntries): StoredTensor {
  const { type, shape, offset, bytes } = entry;
  const codec = Object.hasOwn(CODECS, type) ? CODECS[type]! : undefined;
  let factor: Promise<number> | undefined;
  return {
    name,
    type,
    shape,
    bytes: bytes + (scale?.bytes ?? 0),
    readRows: async (first, rows, signal) => {
      if (!codec)
        throw new KleinbildError(
          "invalid-model",
          `${path}: ${name} has the type ${type}; supported types are ${Object.keys(CODECS).join(", ")}.`,
          { tensor: name },
        );
      const values = await readRowValues({ file, name, shape, offset, codec }, first, rows, signal);
      if (!scale) return values;
      factor ??= readScale(file, path, name, scale);
      factor.catch(() => (factor = undefined)); // the next read tries again
      const by = await factor;
      for (let i = 0; i < values.length; i++) values[i]! *= by;
      return values;
    },
  };
}

async function readScale(file: ModelFile, path: string, name: string, scale: TensorEntry): Promise<number> {
  if (scale.type !== "F32" || product(scale.shape) !== 1)
    throw new KleinbildError(
      "unsupported",
      `${path}: the scale of ${name} is ${scale.type} [${scale.shape.join(", ")}]; one F32 for the whole tensor is supported.`,
      { tensor: name },
    );
  return F32.decode(await file.read(scale.offset, scale.bytes))[0]!;
}
