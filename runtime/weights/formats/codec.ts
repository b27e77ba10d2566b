import { KleinbildError } from "../../errors.ts";
import type { ModelFile } from "../sources/model-source.ts";

/** How values are stored in bytes: in consecutive blocks, each with `blockValues` values in `blockBytes` bytes. */
export interface Codec {
  /** The name of the type, for people. */
  readonly type: string;
  readonly blockValues: number;
  readonly blockBytes: number;
  /** Decodes whole blocks to f32. */
  readonly decode: (bytes: Uint8Array<ArrayBuffer>) => Float32Array<ArrayBuffer>;
}

/** The values of a tensor in a file. */
export interface StoredValues {
  readonly file: ModelFile;
  readonly name: string;
  readonly shape: readonly number[];
  /** From the beginning of the file. */
  readonly offset: number;
  readonly codec: Codec;
}

export function product(sizes: readonly number[]): number {
  return sizes.reduce((all, size) => all * size, 1);
}

/** @throws KleinbildError `invalid-shape` when the tensor does not have these rows */
function assertRows(name: string, shape: readonly number[], first: number, rows: number): void {
  const [count = 1] = shape;
  if (first < 0 || rows < 0 || first + rows > count)
    throw new KleinbildError("invalid-shape", `${name} has ${count} rows; ${rows} from row ${first} were requested.`, {
      tensor: name,
    });
}

/** The bytes of `rows` rows from `first` on. Each row must consist of whole blocks. */
export async function readRowBytes(
  { file, name, shape, offset, codec }: StoredValues,
  first: number,
  rows: number,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  assertRows(name, shape, first, rows);
  const rowBytes = (product(shape.slice(1)) / codec.blockValues) * codec.blockBytes;
  const bytes = await file.read(offset + first * rowBytes, rows * rowBytes, signal);
  signal?.throwIfAborted();
  return bytes;
}

/** Rows as f32. The rows of a vector are single values, so that they may start and end within blocks. */
export async function readRowValues(
  values: StoredValues,
  first: number,
  rows: number,
  signal?: AbortSignal,
): Promise<Float32Array<ArrayBuffer>> {
  const { file, name, shape, offset, codec } = values;
  const { blockValues, blockBytes, decode } = codec;
  if (blockValues === 1 || shape.length > 1) return decode(await readRowBytes(values, first, rows, signal));
  assertRows(name, shape, first, rows);
  const [from, to] = [Math.floor(first / blockValues), Math.ceil((first + rows) / blockValues)];
  const bytes = await file.read(offset + from * blockBytes, (to - from) * blockBytes, signal);
  signal?.throwIfAborted();
  const start = first - from * blockValues;
  return decode(bytes).slice(start, start + rows);
}
