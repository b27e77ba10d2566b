import { KleinbildError } from "../../errors.ts";
import type { SafetensorsHeader, TensorEntry } from "./safetensors-header.ts";
import type { ModelFile } from "../sources/model-source.ts";
import { type Codec, readRowBytes } from "./codec.ts";
import { BF16, F16, F32 } from "./gguf-types.ts";
import type { StoredTensor } from "./tensor-file.ts";

/** How a tensor of an MLX pack is quantized: codes of `bits` bits, with a scale and a bias for each `groupSize` inputs. */
interface MlxLayout {
  readonly bits: number;
  readonly groupSize: number;
}

/** The layout by the name of a tensor or its module; undefined if unknown. */
export type MlxQuantization = (name: string) => MlxLayout | undefined;

interface MlxTensor {
  readonly tensor: StoredTensor;
  /** Names of the tensors with its scales and biases. */
  readonly companions: readonly string[];
}

/** Entries of the codes, scales and biases of a tensor. */
interface Pack {
  readonly name: string;
  readonly codes: TensorEntry;
  readonly scales: TensorEntry;
  readonly biases: TensorEntry;
  readonly companions: readonly [scales: string, biases: string];
}

const BITS = [2, 3, 4, 6, 8] as const;
const GROUPS = [32, 64, 128] as const;
const WORD_BITS = 32;
/** More than all tensors of a file can give. */
const METADATA_VOTES = 1e6;
const FLOATS: Readonly<Record<string, Codec>> = { F32, F16, BF16 };

/**
 * The tensors of an MLX pack: `x.weight` U32 [rows, in · bits / 32] (codes, low bits first), `x.scales` and `x.biases`
 * [rows, in / group]; value = code · scale + bias. Source: mlx.core.quantize.
 *
 * The shapes give only the product of bits and group size. If `quantization` does not know a tensor, its layout comes from the
 * metadata that mflux writes, or is the one with which most tensors have as many inputs as other tensors have outputs.
 *
 * @throws KleinbildError `invalid-model` when codes, scales and biases do not match
 */
export function mlxTensors(
  file: ModelFile,
  path: string,
  { tensors: entries, metadata }: SafetensorsHeader,
  quantization: MlxQuantization = () => undefined,
): MlxTensor[] {
  const packs = [...entries].flatMap(([name, codes]): Pack[] => {
    const base = name.replace(/\.weight$/, "");
    const companions = [`${base}.scales`, `${base}.biases`] as const;
    const [scales, biases] = [entries.get(companions[0]), entries.get(companions[1])];
    return codes.type === "U32" && scales && biases ? [{ name, codes, scales, biases, companions }] : [];
  });
  const usual = packs.length > 0 ? usualLayout(packs, metadata) : undefined;
  return packs.map((pack) => {
    const layout = quantization(pack.name) ?? candidates(pack).find(isLayout(usual)) ?? candidates(pack)[0];
    return { tensor: mlxTensor(file, path, pack, layout), companions: pack.companions };
  });
}

const isLayout =
  (wanted: MlxLayout | undefined) =>
  ({ bits, groupSize }: MlxLayout): boolean =>
    wanted?.bits === bits && wanted.groupSize === groupSize;

/** The layouts that fit the shapes of a tensor; those with MLX's default group size first. */
function candidates({ codes, scales }: Pack): MlxLayout[] {
  const [, words = 0] = codes.shape;
  const [, groups = 0] = scales.shape;
  const layouts = BITS.flatMap((bits) => GROUPS.map((groupSize) => ({ bits, groupSize })));
  return layouts
    .filter(({ bits, groupSize }) => groups * groupSize * bits === words * WORD_BITS)
    .toSorted((a, b) => Number(b.groupSize === 64) - Number(a.groupSize === 64));
}

/**
 * The layout that fits a whole file best. A layout gets votes for each tensor with as many inputs as other tensors have
 * outputs, because most tensors of a network read or write its hidden width.
 */
function usualLayout(packs: readonly Pack[], metadata: ReadonlyMap<string, string>): MlxLayout | undefined {
  const knownBits = Number(metadata.get("quantization_level") ?? NaN); // mflux writes it
  const outputs = new Map<number, number>();
  for (const { codes } of packs) outputs.set(codes.shape[0]!, (outputs.get(codes.shape[0]!) ?? 0) + 1);
  const votes = new Map<string, { readonly layout: MlxLayout; count: number }>();
  for (const pack of packs)
    for (const layout of candidates(pack)) {
      const key = `${layout.bits} ${layout.groupSize}`;
      const vote = votes.get(key) ?? { layout, count: 0 };
      votes.set(key, vote);
      if (layout.bits === knownBits) vote.count += METADATA_VOTES;
      vote.count += 2 * (outputs.get(pack.scales.shape[1]! * layout.groupSize) ?? 0) + Number(layout.groupSize === 64);
    }
  return [...votes.values()].toSorted((a, b) => b.count - a.count)[0]?.layout;
}

function mlxTensor(file: ModelFile, path: string, pack: Pack, layout: MlxLayout | undefined): StoredTensor {
  const { name, codes, scales, biases } = pack;
  const [rows = 0] = codes.shape;
  const [, groups = 0] = scales.shape;
  const scaleCodec = Object.hasOwn(FLOATS, scales.type) ? FLOATS[scales.type] : undefined;
  const biasCodec = Object.hasOwn(FLOATS, biases.type) ? FLOATS[biases.type] : undefined;
  const same = (a: readonly number[], b: readonly number[]): boolean => a.join() === b.join();
  const fits = codes.shape.length === 2 && same(scales.shape, [rows, groups]) && same(biases.shape, scales.shape);
  const allowed = candidates(pack).some(isLayout(layout));
  if (!fits || !scaleCodec || !biasCodec || !layout || !allowed)
    throw new KleinbildError(
      "invalid-model",
      `${path}: ${name} has codes [${codes.shape.join(", ")}], scales ${scales.type} [${scales.shape.join(", ")}] and biases ` +
        `${biases.type} [${biases.shape.join(", ")}], which are ${layout ? `not ${layout.bits} bits in groups of ${layout.groupSize}` : "no MLX pack"}.`,
      { tensor: name },
    );
  const { bits, groupSize } = layout;
  const columns = groups * groupSize;
  const bytesOfRows = { type: "U32", blockValues: 1, blockBytes: 4, decode: F32.decode };
  const stored = (entry: TensorEntry, codec: Codec) => ({
    file,
    name,
    shape: entry.shape,
    offset: entry.offset,
    codec,
  });
  return {
    name,
    type: `MLX ${bits}-bit group ${groupSize}`,
    shape: [rows, columns],
    bytes: codes.bytes + scales.bytes + biases.bytes,
    readRows: async (first, count, signal) => {
      const [codeBytes, scaleBytes, biasBytes] = await Promise.all([
        readRowBytes(stored(codes, bytesOfRows), first, count, signal),
        readRowBytes(stored(scales, scaleCodec), first, count, signal),
        readRowBytes(stored(biases, biasCodec), first, count, signal),
      ]);
      const values = unpackCodes(codeBytes, bits);
      const [factors, offsets] = [scaleCodec.decode(scaleBytes), biasCodec.decode(biasBytes)];
      for (let group = 0; group < factors.length; group++) {
        const [factor, offset] = [factors[group]!, offsets[group]!];
        const end = (group + 1) * groupSize;
        for (let i = end - groupSize; i < end; i++) values[i] = values[i]! * factor + offset;
      }
      return values;
    },
  };
}

/** Unpacks a stream of codes, low bits first. Three bytes hold whole codes of 3 and 6 bits, one byte of the other widths. */
function unpackCodes(bytes: Uint8Array, bits: number): Float32Array<ArrayBuffer> {
  const values = new Float32Array((bytes.length * 8) / bits);
  const mask = 2 ** bits - 1;
  const step = bits === 3 || bits === 6 ? 3 : 1;
  let out = 0;
  for (let at = 0; at < bytes.length; at += step) {
    let stream = step === 3 ? bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) : bytes[at]!;
    for (let used = 0; used < 8 * step; used += bits) {
      values[out++] = stream & mask;
      stream >>>= bits;
    }
  }
  return values;
}
