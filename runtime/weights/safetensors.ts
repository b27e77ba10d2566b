import * as v from "valibot";
import { KleinbildError } from "../errors.ts";
import type { ModelFile } from "./source.ts";

export const SAFETENSORS_BYTES = { BF16: 2, F16: 2, F32: 4 } as const;
export type SafetensorsType = keyof typeof SAFETENSORS_BYTES;

export interface TensorEntry {
  readonly name: string;
  readonly type: SafetensorsType;
  readonly shape: readonly number[];
  /** From the beginning of the file. */
  readonly offset: number;
  readonly bytes: number;
}

/** The limit that the reference implementation sets. */
const MAX_HEADER_BYTES = 100_000_000;
const LENGTH_BYTES = 8;

const natural = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const Entry = v.object({
  dtype: v.string(),
  shape: v.pipe(v.array(natural), v.maxLength(8)),
  data_offsets: v.tuple([natural, natural]),
});
const Header = v.record(v.string(), v.unknown());

/**
 * The tensors of a safetensors file. Tensors of types that are not read here (F64, integers, …) are left out.
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
  if (length > BigInt(Math.min(MAX_HEADER_BYTES, file.size - LENGTH_BYTES)))
    throw invalid(`its header claims ${length} bytes`);
  const dataStart = LENGTH_BYTES + Number(length);
  const bytes = await file.read(LENGTH_BYTES, Number(length), signal);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw invalid("its header is not JSON", cause);
  }
  const header = v.safeParse(Header, json);
  if (!header.success) throw invalid("its header is not an object");
  const tensors = new Map<string, TensorEntry>();
  for (const [name, value] of Object.entries(header.output)) {
    if (name === "__metadata__") continue;
    const entry = v.safeParse(Entry, value);
    if (!entry.success) throw invalid(`the entry of ${name} is malformed`);
    const {
      dtype,
      shape,
      data_offsets: [start, end],
    } = entry.output;
    if (end < start || dataStart + end > file.size) throw invalid(`${name} lies outside the file`);
    if (!isKnown(dtype)) continue;
    const bytes = shape.reduce((product, size) => product * size, SAFETENSORS_BYTES[dtype]);
    if (bytes !== end - start)
      throw invalid(`${name} has ${end - start} bytes; ${dtype} [${shape.join(", ")}] takes ${bytes}`);
    tensors.set(name, { name, type: dtype, shape, offset: dataStart + start, bytes });
  }
  return tensors;
}

function isKnown(type: string): type is SafetensorsType {
  return Object.hasOwn(SAFETENSORS_BYTES, type);
}
