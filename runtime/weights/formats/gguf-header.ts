import { KleinbildError } from "../../errors.ts";
import type { ModelFile } from "../sources/model-source.ts";

/** A tensor in the header of a GGUF file. Source: the GGUF specification, ggml/docs/gguf.md. */
export interface GgufTensor {
  readonly name: string;
  /** Row-major, output rows first; the file lists the dimensions in reverse. */
  readonly shape: readonly number[];
  /** Number of the GGML type. */
  readonly type: number;
  /** Bytes from the start of the data. */
  readonly offset: number;
}

export interface GgufHeader {
  readonly metadata: ReadonlyMap<string, unknown>;
  readonly tensors: readonly GgufTensor[];
  /** Offset of the data in the file. */
  readonly dataStart: number;
}

export const GGUF_MAGIC = 0x46554747;

/** Ample limits: real models have at most 400 tensors, 40 keys, and a tokenizer with 152,000 tokens in 5 MB. */
const MAX_TENSORS = 65_536;
const MAX_KEYS = 65_536;
const MAX_NAME_BYTES = 65_535;
const MAX_TEXT_BYTES = 16 << 20;
const MAX_ITEMS = 1 << 21;
const MAX_DIMENSIONS = 4;
const MAX_NESTING = 2;
const MAX_HEADER_BYTES = 128 << 20;
const FIRST_WINDOW_BYTES = 64 << 10;
const GROWTH = 4;
const DEFAULT_ALIGNMENT = 32;
const MAX_ALIGNMENT = 1 << 20;

/** The header goes on after the end of the window. */
class WindowEnd extends Error {}

/**
 * Reads the header of a GGUF file. Its length is unknown, so the window that is read grows until the header fits.
 * @throws KleinbildError `invalid-model` when the header is invalid or above a limit, `unsupported` for other versions
 */
export async function readGgufHeader(file: ModelFile, path: string, signal?: AbortSignal): Promise<GgufHeader> {
  const most = Math.min(file.size, MAX_HEADER_BYTES);
  for (let bytes = FIRST_WINDOW_BYTES; ; bytes *= GROWTH) {
    const window = await file.read(0, Math.min(bytes, most), signal);
    try {
      return parseHeader(new Cursor(window, file.size, path), path);
    } catch (error) {
      if (!(error instanceof WindowEnd)) throw error;
      if (bytes >= most) throw invalidGguf(path, `its header has more than ${most} bytes`);
    }
  }
}

export function invalidGguf(path: string, message: string): KleinbildError {
  return new KleinbildError("invalid-model", `${path} is not a valid GGUF file: ${message}.`, { path });
}

function parseHeader(cursor: Cursor, path: string): GgufHeader {
  if (cursor.u32() !== GGUF_MAGIC) throw invalidGguf(path, "it does not start with GGUF");
  const version = cursor.u32();
  if (version !== 2 && version !== 3)
    throw new KleinbildError(
      "unsupported",
      `${path} has GGUF version ${version} or big-endian numbers; versions 2 and 3 in little-endian order are supported.`,
      { path },
    );
  const tensorCount = cursor.count("tensors", MAX_TENSORS);
  const keyCount = cursor.count("keys", MAX_KEYS);
  const metadata = new Map<string, unknown>();
  for (let i = 0; i < keyCount; i++) {
    const key = cursor.text(MAX_NAME_BYTES);
    if (metadata.has(key)) throw invalidGguf(path, `it has the key ${key} twice`);
    metadata.set(key, cursor.value(cursor.u32()));
  }
  const names = new Set<string>();
  const tensors: GgufTensor[] = [];
  for (let i = 0; i < tensorCount; i++) {
    const tensor = cursor.tensor();
    if (names.has(tensor.name)) throw invalidGguf(path, `it has the tensor ${tensor.name} twice`);
    names.add(tensor.name);
    tensors.push(tensor);
  }
  const alignment = metadata.get("general.alignment") ?? DEFAULT_ALIGNMENT;
  if (!isAlignment(alignment))
    throw invalidGguf(path, `its alignment is ${JSON.stringify(alignment)}; a power of two was expected`);
  return { metadata, tensors, dataStart: Math.ceil(cursor.at / alignment) * alignment };
}

function isAlignment(value: unknown): value is number {
  return typeof value === "number" && value >= 1 && value <= MAX_ALIGNMENT && Number.isInteger(Math.log2(value));
}

/** Readers of metadata values, by the number of their type. */
const NUMBERS: Readonly<
  Record<number, { readonly bytes: number; readonly read: (view: DataView, at: number) => unknown }>
> = {
  0: { bytes: 1, read: (view, at) => view.getUint8(at) },
  1: { bytes: 1, read: (view, at) => view.getInt8(at) },
  2: { bytes: 2, read: (view, at) => view.getUint16(at, true) },
  3: { bytes: 2, read: (view, at) => view.getInt16(at, true) },
  4: { bytes: 4, read: (view, at) => view.getUint32(at, true) },
  5: { bytes: 4, read: (view, at) => view.getInt32(at, true) },
  6: { bytes: 4, read: (view, at) => view.getFloat32(at, true) },
  7: { bytes: 1, read: (view, at) => view.getUint8(at) !== 0 },
  10: { bytes: 8, read: (view, at) => Number(view.getBigUint64(at, true)) },
  11: { bytes: 8, read: (view, at) => Number(view.getBigInt64(at, true)) },
  12: { bytes: 8, read: (view, at) => view.getFloat64(at, true) },
};
const TEXT = 8;
const ARRAY = 9;

/** Reads values one after the other. Throws `WindowEnd` beyond the window, and `invalid-model` beyond the file. */
class Cursor {
  at = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #fileSize: number;
  readonly #path: string;
  readonly #decoder = new TextDecoder();

  constructor(bytes: Uint8Array, fileSize: number, path: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#fileSize = fileSize;
    this.#path = path;
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  count(what: string, most: number): number {
    const count = this.#view.getBigUint64(this.#take(8), true);
    if (count > BigInt(most))
      throw invalidGguf(this.#path, `it claims ${count} ${what}; at most ${most} are supported`);
    return Number(count);
  }

  text(mostBytes: number): string {
    const length = this.count("bytes of a text", mostBytes);
    const start = this.#take(length);
    return this.#decoder.decode(this.#bytes.subarray(start, start + length));
  }

  value(type: number, depth = 0): unknown {
    if (type === TEXT) return this.text(MAX_TEXT_BYTES);
    if (type === ARRAY) return this.#array(depth);
    const number = NUMBERS[type];
    if (!number) throw invalidGguf(this.#path, `it has a metadata value of the unknown type ${type}`);
    return number.read(this.#view, this.#take(number.bytes));
  }

  tensor(): GgufTensor {
    const name = this.text(MAX_NAME_BYTES);
    const dimensions = this.u32();
    if (dimensions > MAX_DIMENSIONS)
      throw invalidGguf(this.#path, `${name} has ${dimensions} dimensions; at most ${MAX_DIMENSIONS} are supported`);
    const shape: number[] = [];
    for (let i = 0; i < dimensions; i++) shape.unshift(this.#size(name));
    return { name, shape, type: this.u32(), offset: this.#size(name) };
  }

  #array(depth: number): readonly unknown[] {
    if (depth === MAX_NESTING) throw invalidGguf(this.#path, "its arrays are nested too deeply");
    const type = this.u32();
    const length = this.count("items of an array", MAX_ITEMS);
    const items: unknown[] = [];
    for (let i = 0; i < length; i++) items.push(this.value(type, depth + 1)); // a wrong length ends at the end of the window
    return items;
  }

  #size(name: string): number {
    const size = this.#view.getBigUint64(this.#take(8), true);
    if (size > BigInt(Number.MAX_SAFE_INTEGER))
      throw invalidGguf(this.#path, `${name} has the impossible size ${size}`);
    return Number(size);
  }

  #take(bytes: number): number {
    const start = this.at;
    if (start + bytes > this.#fileSize)
      throw invalidGguf(this.#path, `it ends at byte ${this.#fileSize}, within its header; it may be cut off`);
    if (start + bytes > this.#bytes.length) throw new WindowEnd();
    this.at = start + bytes;
    return start;
  }
}
