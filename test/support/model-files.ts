import { KleinbildError } from "../../runtime/errors.ts";
import type { ModelFile, ModelSource } from "../../runtime/weights/sources/model-source.ts";

/** A model whose files are in memory. */
export class MemorySource implements ModelSource {
  readonly description = "memory";
  readonly files: Map<string, Uint8Array<ArrayBuffer>>;

  constructor(files: Readonly<Record<string, Uint8Array<ArrayBuffer> | string>>) {
    const bytes = (file: Uint8Array<ArrayBuffer> | string): Uint8Array<ArrayBuffer> =>
      typeof file === "string" ? new TextEncoder().encode(file) : file;
    this.files = new Map(Object.entries(files).map(([path, file]) => [path, bytes(file)]));
  }

  async exists(path: string): Promise<boolean> {
    return this.files.has(path);
  }

  async open(path: string): Promise<ModelFile> {
    const bytes = this.files.get(path);
    if (!bytes) throw new KleinbildError("missing-file", `${path} is not in memory.`, { path });
    return memoryFile(bytes);
  }

  async list(): Promise<readonly string[]> {
    return [...this.files.keys()].toSorted();
  }

  async close(): Promise<void> {}
}

export function memoryFile(bytes: Uint8Array<ArrayBuffer>): ModelFile {
  return {
    size: bytes.length,
    read: async (offset, length, signal) => {
      signal?.throwIfAborted();
      if (offset + length > bytes.length) throw new KleinbildError("invalid-model", "the file ends too early", {});
      return bytes.slice(offset, offset + length);
    },
  };
}

export interface TestTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;
}

/** A safetensors file: 8 bytes with the length of the header, the header, and consecutive tensors. */
export function safetensorsFile(
  tensors: Readonly<Record<string, TestTensor>>,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const entries: Record<string, unknown> = metadata ? { __metadata__: metadata } : {};
  let end = 0;
  for (const [name, { dtype, shape, data }] of Object.entries(tensors))
    entries[name] = { dtype, shape, data_offsets: [end, (end += data.byteLength)] };
  const payload = new Uint8Array(end);
  let at = 0;
  for (const { data } of Object.values(tensors)) {
    payload.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return withHeader(JSON.stringify(entries), payload);
}

/** A file with any header, valid or not; its length can be lied about. */
export function withHeader(
  header: string,
  payload: Uint8Array = new Uint8Array(0),
  claimed?: bigint,
): Uint8Array<ArrayBuffer> {
  const json = new TextEncoder().encode(header);
  const file = new Uint8Array(8 + json.length + payload.length);
  new DataView(file.buffer).setBigUint64(0, claimed ?? BigInt(json.length), true);
  file.set(json, 8);
  file.set(payload, 8 + json.length);
  return file;
}
