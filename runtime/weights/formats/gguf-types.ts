import { bf16ToF32, f16ToF32 } from "../float.ts";
import type { Codec } from "./codec.ts";
import {
  dequantizeIQ4_NL,
  dequantizeQ4_0,
  dequantizeQ4_1,
  dequantizeQ5_0,
  dequantizeQ5_1,
  dequantizeQ8_0,
} from "./dequantize-legacy.ts";
import {
  dequantizeIQ4_XS,
  dequantizeQ2_K,
  dequantizeQ3_K,
  dequantizeQ4_K,
  dequantizeQ5_K,
  dequantizeQ6_K,
  dequantizeTQ2_0,
  SUPER_BLOCK,
} from "./dequantize-super.ts";

type Decode = Codec["decode"];

const codec = (type: string, blockValues: number, blockBytes: number, decode: Decode): Codec => ({
  type,
  blockValues,
  blockBytes,
  decode,
});

export const F32 = codec("F32", 1, 4, (bytes) => new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4));
export const F16 = codec("F16", 1, 2, (bytes) => f16ToF32(words(bytes)));
export const BF16 = codec("BF16", 1, 2, (bytes) => bf16ToF32(words(bytes)));

function words(bytes: Uint8Array<ArrayBuffer>): Uint16Array {
  return new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
}

/** The supported types, by number. Source: ggml.h, `enum ggml_type`. */
export const GGUF_TYPES: ReadonlyMap<number, Codec> = new Map([
  [0, F32],
  [1, F16],
  [2, codec("Q4_0", 32, 18, dequantizeQ4_0)],
  [3, codec("Q4_1", 32, 20, dequantizeQ4_1)],
  [6, codec("Q5_0", 32, 22, dequantizeQ5_0)],
  [7, codec("Q5_1", 32, 24, dequantizeQ5_1)],
  [8, codec("Q8_0", 32, 34, dequantizeQ8_0)],
  [10, codec("Q2_K", SUPER_BLOCK, 84, dequantizeQ2_K)],
  [11, codec("Q3_K", SUPER_BLOCK, 110, dequantizeQ3_K)],
  [12, codec("Q4_K", SUPER_BLOCK, 144, dequantizeQ4_K)],
  [13, codec("Q5_K", SUPER_BLOCK, 176, dequantizeQ5_K)],
  [14, codec("Q6_K", SUPER_BLOCK, 210, dequantizeQ6_K)],
  [20, codec("IQ4_NL", 32, 18, dequantizeIQ4_NL)],
  [23, codec("IQ4_XS", SUPER_BLOCK, 136, dequantizeIQ4_XS)],
  [30, BF16],
  [35, codec("TQ2_0", SUPER_BLOCK, 66, dequantizeTQ2_0)],
]);
