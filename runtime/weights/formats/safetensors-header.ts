import * as v from "valibot";
import { KleinbildError } from "../../errors.ts";
import type { ModelFile } from "../sources/model-source.ts";

/** Bytes per element of the types that are read as they are. */
export const SAFETENSORS_BYTES = { BF16: 2, F16: 2, F32: 4 } as const;
export type SafetensorsType = keyof typeof SAFETENSORS_BYTES;

/** Bytes per element of all types whose sizes are checked. */
const ELEMENT_BYTES: Readonly<Record<string, number>> = {
  ...SAFETENSORS_BYTES,
  F8_E4M3: 1,
  F8_E5M2: 1,
  U8: 1,
  I8: 1,
  BOOL: 1,
  U16: 2,
  I16: 2,
  U32: 4,
  I32: 4,
  F64: 8,
  U64: 8,
  I64: 8,
};

export interface TensorEntry {
  /** As in the file: perhaps a type that is not read. */
  readonly type: string;
  readonly shape: readonly number[];
  /** From the beginning of the file. */
  readonly offset: number;
  readonly bytes: number;
}

/** The limit that the reference implementation sets. */
const MAX_HEADER_BYTES = 100_000_000;
const LENGTH_BYTES = 8;
const BRACE = 0x7b;
const METADATA = "__metadata__";

const natural = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const Entry = v.object({
  dtype: v.string(),
  shape: v.pipe(v.array(natural), v.maxLength(8)),
  data_offsets: v.tuple([natural, natural]),
});

/**
 * The tensors of a safetensors file, by name. As the format demands, they lie end to end and fill the file, so that a
 * file that was cut, or a name that stands in the header twice, does not pass.
 *
 * @throws KleinbildError `invalid-model` when the header contradicts itself or the file
 */
export async function readSafetensorsHeader(
  file: ModelFile,
  path: string,
  signal?: AbortSignal,
): Promise<SafetensorsHeader> {
  const first = await file.read(0, Math.min(LENGTH_BYTES + 1, file.size), signal);
  const length = headerLength(first, file.size, path, MAX_HEADER_BYTES);
  return parseHeader(await file.read(LENGTH_BYTES, length, signal), file.size, path);
}

export interface SafetensorsHeader {
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  /** The texts of `__metadata__`. */
  readonly metadata: ReadonlyMap<string, string>;
}

/** The same of a whole file in memory, with its metadata; its header has at most `maxHeaderBytes`. */
export function parseSafetensors(file: Uint8Array, path: string, maxHeaderBytes: number): SafetensorsHeader {
  const length = headerLength(file, file.length, path, maxHeaderBytes);
  return parseHeader(file.subarray(LENGTH_BYTES, LENGTH_BYTES + length), file.length, path);
}

function invalidFile(path: string, message: string, cause?: unknown): KleinbildError {
  return new KleinbildError(
    "invalid-model",
    `${path} is not a valid safetensors file: ${message}.`,
    { path },
    { cause },
  );
}

/** @param first  the file, or its first 9 bytes: the header's length, and the brace that the format has it begin with */
function headerLength(first: Uint8Array, fileSize: number, path: string, maxBytes: number): number {
  if (fileSize < LENGTH_BYTES) throw invalidFile(path, `it has ${fileSize} bytes`);
  const length = new DataView(first.buffer, first.byteOffset).getBigUint64(0, true);
  const rest = fileSize - LENGTH_BYTES;
  if (length <= BigInt(Math.min(maxBytes, rest))) return Number(length);
  if (first[LENGTH_BYTES] !== BRACE) throw invalidFile(path, "it does not begin with the header of one");
  if (length > BigInt(rest))
    throw invalidFile(path, `its header claims ${length} bytes, of which the file has ${rest}; it may be cut off`);
  throw invalidFile(path, `its header claims ${length} bytes, of at most ${maxBytes}`);
}

function parseHeader(header: Uint8Array, fileSize: number, path: string): SafetensorsHeader {
  const invalid = (message: string, cause?: unknown): KleinbildError => invalidFile(path, message, cause);
  const dataStart = LENGTH_BYTES + header.length;
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(header));
  } catch (cause) {
    throw invalid("its header is not JSON", cause);
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw invalid("its header is not an object");
  const tensors = new Map<string, TensorEntry>();
  const metadata = new Map<string, string>();
  for (const [name, value] of Object.entries(json)) {
    if (name === METADATA) {
      for (const [key, text] of Object.entries((value as object | null) ?? {}))
        if (typeof text === "string") metadata.set(key, text);
      continue;
    }
    const entry = v.safeParse(Entry, value);
    if (!entry.success) throw invalid(`the entry of ${name} is malformed`);
    const { dtype: type, shape, data_offsets } = entry.output;
    const [start, end] = data_offsets;
    if (end < start || dataStart + end > fileSize)
      throw invalid(`${name} has the bytes ${start} to ${end} of ${fileSize - dataStart}`);
    const bytes = end - start;
    const elementBytes = Object.hasOwn(ELEMENT_BYTES, type) ? ELEMENT_BYTES[type]! : undefined;
    const needed = elementBytes === undefined ? bytes : shape.reduce((product, size) => product * size, elementBytes);
    if (bytes !== needed) throw invalid(`${name} has ${bytes} bytes; ${type} [${shape.join(", ")}] takes ${needed}`);
    tensors.set(name, { type, shape, offset: dataStart + start, bytes });
  }
  let end = dataStart;
  for (const [name, { offset, bytes }] of [...tensors].toSorted(
    ([, a], [, b]) => a.offset - b.offset || a.bytes - b.bytes,
  )) {
    if (offset !== end) throw invalid(`${name} begins at byte ${offset}, where ${end} was expected`);
    end += bytes;
  }
  if (end !== fileSize) throw invalid(`its tensors end at byte ${end}, and it has ${fileSize}`);
  return { tensors, metadata };
}

/** Whether tensors of this type are read. */
export function isReadable(type: string): type is SafetensorsType {
  return Object.hasOwn(SAFETENSORS_BYTES, type);
}
