/** Values of a GGUF header by their types. */
export type GgufValue =
  | { readonly type: "u32"; readonly value: number }
  | { readonly type: "f32"; readonly value: number }
  | { readonly type: "text"; readonly value: string }
  | { readonly type: "texts"; readonly value: readonly string[] }
  | { readonly type: "i32s"; readonly value: readonly number[] };

export interface GgufTestTensor {
  /** As GGML counts them: the innermost dimension first. */
  readonly dimensions: readonly number[];
  readonly type: number;
  readonly data: Uint8Array;
}

export interface GgufOptions {
  readonly version?: number;
  readonly alignment?: number;
  /** What the header claims instead of the truth. */
  readonly claims?: { readonly tensors?: bigint; readonly keys?: bigint };
}

/** A GGUF file: header, then the tensors at multiples of the alignment. */
export function ggufFile(
  tensors: Readonly<Record<string, GgufTestTensor>>,
  metadata: Readonly<Record<string, GgufValue>> = {},
  { version = 3, alignment = 32, claims = {} }: GgufOptions = {},
): Uint8Array<ArrayBuffer> {
  const out: number[] = [];
  const u32 = (value: number): void =>
    void out.push(value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24);
  const u64 = (value: number | bigint): void => {
    const big = BigInt(value);
    u32(Number(big & 0xffffffffn));
    u32(Number(big >> 32n));
  };
  const text = (value: string): void => {
    const bytes = new TextEncoder().encode(value);
    u64(bytes.length);
    out.push(...bytes);
  };
  const f32 = (value: number): void => void out.push(...new Uint8Array(Float32Array.of(value).buffer));
  const entries = Object.entries(tensors);
  const keys = Object.entries(metadata);
  const withAlignment =
    alignment === 32 ? keys : [...keys, ["general.alignment", { type: "u32", value: alignment }] as const];
  out.push(...new TextEncoder().encode("GGUF"));
  u32(version);
  u64(claims.tensors ?? entries.length);
  u64(claims.keys ?? withAlignment.length);
  for (const [key, { type, value }] of withAlignment) {
    text(key);
    switch (type) {
      case "u32":
        u32(4);
        u32(value);
        break;
      case "f32":
        u32(6);
        f32(value);
        break;
      case "text":
        u32(8);
        text(value);
        break;
      case "texts":
        u32(9);
        u32(8);
        u64(value.length);
        for (const item of value) text(item);
        break;
      case "i32s":
        u32(9);
        u32(5);
        u64(value.length);
        for (const item of value) u32(item);
        break;
      default:
        throw new Error("unknown type");
    }
  }
  const padded = (bytes: number): number => Math.ceil(bytes / alignment) * alignment;
  let offset = 0;
  for (const [name, { dimensions, type, data }] of entries) {
    text(name);
    u32(dimensions.length);
    for (const size of dimensions) u64(size);
    u32(type);
    u64(offset);
    offset += padded(data.length);
  }
  const start = padded(out.length);
  const file = new Uint8Array(start + offset);
  file.set(out);
  let at = start;
  for (const [, { data }] of entries) {
    file.set(data, at);
    at += padded(data.length);
  }
  return file;
}
