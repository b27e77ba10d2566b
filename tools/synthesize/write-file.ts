import type { TensorToWrite } from "./tensors-to-write.ts";

const GGUF_ALIGNMENT = 32;
const GGUF_TEXT = 8;
const GGUF_U32 = 4;

/** The bytes of a tensor, in chunks of any size. */
export type TensorBytes = (tensor: TensorToWrite) => Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** The bytes of a safetensors file, from start to end. */
export async function* safetensorsBytes(
  tensors: readonly TensorToWrite[],
  bytesOf: TensorBytes,
): AsyncGenerator<Uint8Array> {
  const entries: Record<string, unknown> = { __metadata__: { format: "pt" } };
  let end = 0;
  for (const { name, dtype, shape, bytes } of tensors)
    entries[name] = { dtype, shape, data_offsets: [end, (end += bytes)] };
  const json = JSON.stringify(entries);
  const text = new TextEncoder().encode(json.padEnd(Math.ceil(json.length / 8) * 8));
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(text.length), true);
  yield length;
  yield text;
  for (const tensor of tensors) yield* bytesOf(tensor);
}

/** The bytes of a GGUF file, from start to end. */
export async function* ggufBytes(
  tensors: readonly TensorToWrite[],
  metadata: Readonly<Record<string, string | number>>,
  bytesOf: TensorBytes,
): AsyncGenerator<Uint8Array> {
  const header = new Header();
  header.raw(new TextEncoder().encode("GGUF"));
  header.u32(3);
  header.u64(tensors.length);
  header.u64(Object.keys(metadata).length);
  for (const [key, value] of Object.entries(metadata)) {
    header.text(key);
    header.u32(typeof value === "string" ? GGUF_TEXT : GGUF_U32);
    if (typeof value === "string") header.text(value);
    else header.u32(value);
  }
  let offset = 0;
  for (const { name, shape, dtype, bytes } of tensors) {
    header.text(name);
    header.u32(shape.length);
    for (const size of shape.toReversed()) header.u64(size);
    header.u32(dtype as number);
    header.u64(offset);
    offset += aligned(bytes);
  }
  const bytes = header.bytes();
  yield bytes;
  yield new Uint8Array(aligned(bytes.length) - bytes.length);
  for (const tensor of tensors) {
    yield* bytesOf(tensor);
    yield new Uint8Array(aligned(tensor.bytes) - tensor.bytes);
  }
}

const aligned = (bytes: number): number => Math.ceil(bytes / GGUF_ALIGNMENT) * GGUF_ALIGNMENT;

class Header {
  readonly #parts: Uint8Array[] = [];

  raw(bytes: Uint8Array): void {
    this.#parts.push(bytes);
  }

  u32(value: number): void {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, value, true);
    this.raw(bytes);
  }

  u64(value: number): void {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
    this.raw(bytes);
  }

  text(value: string): void {
    const bytes = new TextEncoder().encode(value);
    this.u64(bytes.length);
    this.raw(bytes);
  }

  bytes(): Uint8Array {
    return Buffer.concat(this.#parts);
  }
}
