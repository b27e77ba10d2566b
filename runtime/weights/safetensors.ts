import * as v from "valibot";
import { KleinbildError } from "../errors.ts";
import type { ModelFile } from "./source.ts";

/** Bytes per element of the types that are read. */
export const SAFETENSORS_BYTES = { BF16: 2, F16: 2, F32: 4 } as const;
export type SafetensorsType = keyof typeof SAFETENSORS_BYTES;

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
): Promise<ReadonlyMap<string, TensorEntry>> {
  const invalid = (message: string, cause?: unknown): KleinbildError =>
    new KleinbildError("invalid-model", `${path} is not a valid safetensors file: ${message}.`, { path }, { cause });
  if (file.size < LENGTH_BYTES) throw invalid(`it has ${file.size} bytes`);
  const length = new DataView((await file.read(0, LENGTH_BYTES, signal)).buffer).getBigUint64(0, true);
  const most = Math.min(MAX_HEADER_BYTES, file.size - LENGTH_BYTES);
  if (length > BigInt(most)) throw invalid(`its header claims ${length} bytes, of at most ${most}`);
  const dataStart = LENGTH_BYTES + Number(length);
  const bytes = await file.read(LENGTH_BYTES, Number(length), signal);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw invalid("its header is not JSON", cause);
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw invalid("its header is not an object");
  const tensors = new Map<string, TensorEntry>();
  for (const [name, value] of Object.entries(json)) {
    if (name === METADATA) continue;
    const entry = v.safeParse(Entry, value);
    if (!entry.success) throw invalid(`the entry of ${name} is malformed`);
    const { dtype: type, shape, data_offsets } = entry.output;
    const [start, end] = data_offsets;
    if (end < start || dataStart + end > file.size)
      throw invalid(`${name} has the bytes ${start} to ${end} of ${file.size - dataStart}`);
    const bytes = end - start;
    const needed = isReadable(type) ? shape.reduce((product, size) => product * size, SAFETENSORS_BYTES[type]) : bytes;
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
  if (end !== file.size) throw invalid(`its tensors end at byte ${end}, and it has ${file.size}`);
  return tensors;
}

/** Whether tensors of this type are read. */
export function isReadable(type: string): type is SafetensorsType {
  return Object.hasOwn(SAFETENSORS_BYTES, type);
}
