import { e4m3ToF32, e5m2ToF32, f32ToF16 } from "../../runtime/weights/float.ts";
import { clampCode, divide, rangeOf } from "./encode-blocks.ts";
import { encodeGguf, GGUF_BLOCKS } from "./encode-gguf.ts";

/** A stored tensor that holds values of a tensor, or its scales or biases. */
export interface EncodedTensor {
  /** Replaces `.weight` in the tensor's name. Empty for the tensor itself. */
  readonly suffix: string;
  /** Type in safetensors, or number of the type in GGUF. */
  readonly dtype: string | number;
  /** Shape of the stored tensor, from the shape of the values. */
  readonly shape: (shape: readonly number[]) => readonly number[];
  /** Values of a block, and bytes that they are stored in. */
  readonly blockValues: number;
  readonly blockBytes: number;
  readonly encode: (values: Float32Array) => Uint8Array<ArrayBuffer>;
}

/** A way to store matrices: the tensors that each one becomes. */
export interface Encoding {
  readonly format: "safetensors" | "gguf";
  readonly tensors: readonly EncodedTensor[];
}

const bytesOf = (values: Float32Array | Uint16Array): Uint8Array<ArrayBuffer> =>
  new Uint8Array(values.buffer.slice(values.byteOffset, values.byteOffset + values.byteLength) as ArrayBuffer);

/** Rounds to nearest, ties to even. */
function f32ToBf16(values: Float32Array): Uint16Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return Uint16Array.from(words, (word) => (word + 0x7fff + ((word >>> 16) & 1)) >>> 16);
}

const plain = (dtype: string | number, bytes: number, encode: EncodedTensor["encode"]): EncodedTensor => ({
  suffix: "",
  dtype,
  shape: (shape) => shape,
  blockValues: 1,
  blockBytes: bytes,
  encode,
});

const f32 = (values: Float32Array): Uint8Array<ArrayBuffer> => bytesOf(values);
const f16 = (values: Float32Array): Uint8Array<ArrayBuffer> => bytesOf(f32ToF16(Float32Array.from(values)));
const bf16 = (values: Float32Array): Uint8Array<ArrayBuffer> => bytesOf(f32ToBf16(values));

/** Rounds to the nearest finite value of an f8 type, times a scale. */
function f8(decode: (bits: Uint8Array) => Float32Array, scale: number): EncodedTensor["encode"] {
  const table = [...decode(Uint8Array.from({ length: 256 }, (_, i) => i))]
    .map((value, bits) => ({ value, bits }))
    .filter(({ value }) => Number.isFinite(value))
    .toSorted((a, b) => a.value - b.value);
  return (values) =>
    Uint8Array.from(values, (value) => {
      const wanted = value / scale;
      let low = 0;
      let high = table.length - 1;
      while (high - low > 1) {
        const middle = (low + high) >> 1;
        if (table[middle]!.value <= wanted) low = middle;
        else high = middle;
      }
      return wanted - table[low]!.value < table[high]!.value - wanted ? table[low]!.bits : table[high]!.bits;
    });
}

/** The scale of f8 tensors. Weights of trained models are within ±2, and E4M3 reaches ±448. */
const F8_SCALE = 2 ** -7;

const f8Encoding = (dtype: string, decode: (bits: Uint8Array) => Float32Array): Encoding => ({
  format: "safetensors",
  tensors: [
    plain(dtype, 1, f8(decode, F8_SCALE)),
    // one number for the tensor
    {
      suffix: ".weight_scale",
      dtype: "F32",
      shape: () => [],
      blockValues: Infinity,
      blockBytes: 4,
      encode: () => f32(Float32Array.of(F8_SCALE)),
    },
  ],
});

/** MLX packs: codes, low bits first, and f16 scales and biases of each group. */
function mlx(bits: number, groupSize: number): Encoding {
  const top = 2 ** bits - 1;
  const each = (values: Float32Array, of: (range: { scale: number; bias: number }) => number): Float32Array =>
    Float32Array.from({ length: values.length / groupSize }, (_, group) => {
      const { least, most } = rangeOf(values, group * groupSize, groupSize);
      return of({ scale: (most - least) / top, bias: least });
    });
  const perGroup = (suffix: string, of: (range: { scale: number; bias: number }) => number): EncodedTensor => ({
    suffix,
    dtype: "F16",
    shape: ([rows = 0, columns = 0]) => [rows, columns / groupSize],
    blockValues: groupSize,
    blockBytes: 2,
    encode: (values) => f16(each(values, of)),
  });
  return {
    format: "safetensors",
    tensors: [
      {
        suffix: "",
        dtype: "U32",
        shape: ([rows = 0, columns = 0]) => [rows, (columns * bits) / 32],
        blockValues: groupSize,
        blockBytes: (groupSize * bits) / 8,
        encode: (values) => {
          const bytes = new Uint8Array((values.length * bits) / 8);
          for (let group = 0; group < values.length / groupSize; group++) {
            const { least, most } = rangeOf(values, group * groupSize, groupSize);
            for (let i = group * groupSize; i < (group + 1) * groupSize; i++) {
              const code = clampCode(divide(values[i]! - least, (most - least) / top), top);
              const at = i * bits;
              bytes[at >> 3]! |= (code << (at & 7)) & 255;
              if ((at & 7) + bits > 8) bytes[(at >> 3) + 1]! |= code >> (8 - (at & 7));
            }
          }
          return bytes;
        },
      },
      perGroup(".scales", ({ scale }) => scale),
      perGroup(".biases", ({ bias }) => bias),
    ],
  };
}

const safetensors = (tensor: EncodedTensor): Encoding => ({ format: "safetensors", tensors: [tensor] });
const gguf = (tensor: EncodedTensor): Encoding => ({ format: "gguf", tensors: [tensor] });

const MLX_LAYOUTS = [2, 3, 4, 6, 8].flatMap((bits) => [32, 64, 128].map((group) => [bits, group] as const));

/** All encodings, by their names on the command line. */
export const ENCODINGS: Readonly<Record<string, Encoding>> = {
  bf16: safetensors(plain("BF16", 2, bf16)),
  f16: safetensors(plain("F16", 2, f16)),
  f32: safetensors(plain("F32", 4, f32)),
  "fp8-e4m3": f8Encoding("F8_E4M3", e4m3ToF32),
  "fp8-e5m2": f8Encoding("F8_E5M2", e5m2ToF32),
  ...Object.fromEntries(MLX_LAYOUTS.map(([bits, group]) => [`mlx-${bits}-${group}`, mlx(bits, group)])),
  "gguf-F32": gguf(plain(0, 4, f32)),
  "gguf-F16": gguf(plain(1, 2, f16)),
  "gguf-BF16": gguf(plain(30, 2, bf16)),
  ...Object.fromEntries(
    Object.entries(GGUF_BLOCKS).map(([type, { id, values, bytes }]) => [
      `gguf-${type}`,
      gguf({ ...plain(id, bytes, (all) => encodeGguf(type, all)), blockValues: values }),
    ]),
  ),
};

/** Encodings of tensors that must not be quantized. */
export const UNQUANTIZED: Readonly<
  Record<Encoding["format"], { readonly matrix: Encoding; readonly vector: Encoding }>
> = {
  safetensors: { matrix: ENCODINGS["bf16"]!, vector: ENCODINGS["bf16"]! },
  gguf: { matrix: ENCODINGS["gguf-BF16"]!, vector: ENCODINGS["gguf-F32"]! },
};
