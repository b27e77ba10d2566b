import * as v from "valibot";
import { KleinbildError } from "../../errors.ts";
import type { ModelFile } from "../sources/model-source.ts";

/** Bytes per element of the float types that every reader supports. */
export const SAFETENSORS_BYTES = { BF16: 2, F16: 2, F32: 4 } as const;
export type SafetensorsType = keyof typeof SAFETENSORS_BYTES;

/** Bytes per element of all known types. The size of their tensors is checked. */
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
  /** As in the file. It may be an unsupported type. */
  readonly type: string;
  readonly shape: readonly number[];
  /** Bytes from the start of the file. */
  readonly offset: number;
  readonly bytes: number;
}

/** The limit of the reference implementation. */
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
 * Reads the header of a safetensors file. Tensors must lie end to end and fill the file, as the format demands. This finds
 * files that were cut off, and names that are twice in the header.
 *
 * @throws KleinbildError `invalid-model` when the header does not match itself or the file
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
  /** The strings of `__metadata__`. */
  readonly metadata: ReadonlyMap<string, string>;
}

/** Parses the header of a file in memory. @throws KleinbildError `invalid-model`, also for a header above `maxHeaderBytes` */
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

/** @param first  the file, or its first 9 bytes: the length of the header, and the brace at its start */
function headerLength(first: Uint8Array, fileSize: number, path: string, maxBytes: number): number {
  if (fileSize < LENGTH_BYTES) throw invalidFile(path, `it has ${fileSize} bytes`);
  const length = new DataView(first.buffer, first.byteOffset).getBigUint64(0, true);
  const rest = fileSize - LENGTH_BYTES;
  if (length <= BigInt(Math.min(maxBytes, rest))) return Number(length);
  if (first[LENGTH_BYTES] !== BRACE) throw invalidFile(path, "it does not start with a safetensors header");
  if (length > BigInt(rest))
    throw invalidFile(path, `its header claims ${length} bytes, and the file has only ${rest}; it may be cut off`);
  throw invalidFile(path, `its header claims ${length} bytes; at most ${maxBytes} are supported`);
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
      throw invalid(`${name} has the bytes ${start} to ${end}, and the file has ${fileSize - dataStart} bytes of data`);
    const bytes = end - start;
    const elementBytes = Object.hasOwn(ELEMENT_BYTES, type) ? ELEMENT_BYTES[type]! : undefined;
    const needed = elementBytes === undefined ? bytes : shape.reduce((product, size) => product * size, elementBytes);
    if (bytes !== needed) throw invalid(`${name} has ${bytes} bytes; ${type} [${shape.join(", ")}] takes ${needed}`);
    tensors.set(name, { type, shape, offset: dataStart + start, bytes });
  }
  assertContiguous(tensors, dataStart, fileSize, path);
  return { tensors, metadata };
}

function assertContiguous(
  tensors: ReadonlyMap<string, TensorEntry>,
  dataStart: number,
  fileSize: number,
  path: string,
): void {
  const ordered = [...tensors].toSorted(([, a], [, b]) => a.offset - b.offset || a.bytes - b.bytes);
  let end = dataStart;
  for (const [name, { offset, bytes }] of ordered) {
    if (offset !== end) throw invalidFile(path, `${name} starts at byte ${offset}; ${end} was expected`);
    end += bytes;
  }
  if (end !== fileSize) throw invalidFile(path, `its tensors end at byte ${end}, and the file has ${fileSize} bytes`);
}

/** Whether every reader supports this type. */
export function isReadable(type: string): type is SafetensorsType {
  return Object.hasOwn(SAFETENSORS_BYTES, type);
}
