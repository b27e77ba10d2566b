import { f16Value } from "../float.ts";
import { IQ4_VALUES } from "./dequantize-legacy.ts";

/**
 * Values of a super-block of GGML's K-quants, IQ4_XS and TQ2_0. Its sub-blocks have quantized scales.
 * Source: ggml-quants.c, `dequantize_row_*`.
 */
export const SUPER_BLOCK = 256;

/** Decodes the super-block at byte `at`, and writes its values from index `out` on. */
type ReadBlock = (bytes: Uint8Array, at: number, values: Float32Array, out: number) => void;

function dequantizeBlocks(bytes: Uint8Array, blockBytes: number, read: ReadBlock): Float32Array<ArrayBuffer> {
  const blocks = bytes.length / blockBytes;
  const values = new Float32Array(blocks * SUPER_BLOCK);
  for (let block = 0; block < blocks; block++) read(bytes, block * blockBytes, values, block * SUPER_BLOCK);
  return values;
}

const f16At = (bytes: Uint8Array, at: number): number => f16Value(bytes[at]!, bytes[at + 1]!);

/** 16 bytes, each with the 4-bit scale and minimum of 16 values, 64 bytes of 2-bit codes, d, dmin. */
const readQ2_K: ReadBlock = (bytes, at, values, out) => {
  const codes = at + 16;
  const d = f16At(bytes, at + 80);
  const dmin = f16At(bytes, at + 82);
  for (let sub = 0; sub < 16; sub++) {
    const scales = bytes[at + sub]!;
    const scale = d * (scales & 15);
    const minimum = dmin * (scales >> 4);
    const first = codes + 32 * (sub >> 3) + 16 * (sub & 1);
    const shift = 2 * ((sub >> 1) & 3);
    for (let i = 0; i < 16; i++) values[out + 16 * sub + i] = scale * ((bytes[first + i]! >> shift) & 3) - minimum;
  }
};

/** 32 bytes of high bits, 64 bytes of 2-bit codes, 12 bytes of 6-bit scales, d. */
const readQ3_K: ReadBlock = (bytes, at, values, out) => {
  const codes = at + 32;
  const packed = at + 96;
  const d = f16At(bytes, at + 108);
  for (let sub = 0; sub < 16; sub++) {
    const low = (bytes[packed + (sub & 7)]! >> (sub < 8 ? 0 : 4)) & 15;
    const high = (bytes[packed + 8 + (sub & 3)]! >> (2 * (sub >> 2))) & 3;
    const scale = d * ((low | (high << 4)) - 32);
    const half = 16 * (sub & 1);
    const first = codes + 32 * (sub >> 3) + half;
    const shift = 2 * ((sub >> 1) & 3);
    const bit = 1 << (sub >> 1);
    for (let i = 0; i < 16; i++) {
      const code = ((bytes[first + i]! >> shift) & 3) - (bytes[at + half + i]! & bit ? 0 : 4);
      values[out + 16 * sub + i] = scale * code;
    }
  }
};

/** The 6-bit scale of sub-block `sub`. Q4_K and Q5_K pack 8 scales and 8 minima into 12 bytes. */
const scaleOf = (bytes: Uint8Array, at: number, sub: number): number =>
  sub < 4 ? bytes[at + sub]! & 63 : (bytes[at + sub + 4]! & 15) | ((bytes[at + sub - 4]! >> 6) << 4);

const minimumOf = (bytes: Uint8Array, at: number, sub: number): number =>
  sub < 4 ? bytes[at + sub + 4]! & 63 : (bytes[at + sub + 4]! >> 4) | ((bytes[at + sub]! >> 6) << 4);

/** d, dmin, 12 bytes of scales and minima, 128 bytes of 4-bit codes. */
const readQ4_K: ReadBlock = (bytes, at, values, out) => {
  const d = f16At(bytes, at);
  const dmin = f16At(bytes, at + 2);
  for (let sub = 0; sub < 8; sub++) {
    const scale = d * scaleOf(bytes, at + 4, sub);
    const minimum = dmin * minimumOf(bytes, at + 4, sub);
    const first = at + 16 + 32 * (sub >> 1);
    const shift = 4 * (sub & 1);
    for (let i = 0; i < 32; i++) values[out + 32 * sub + i] = scale * ((bytes[first + i]! >> shift) & 15) - minimum;
  }
};

/** As Q4_K, with 32 bytes of fifth bits before the codes. */
const readQ5_K: ReadBlock = (bytes, at, values, out) => {
  const d = f16At(bytes, at);
  const dmin = f16At(bytes, at + 2);
  const high = at + 16;
  for (let sub = 0; sub < 8; sub++) {
    const scale = d * scaleOf(bytes, at + 4, sub);
    const minimum = dmin * minimumOf(bytes, at + 4, sub);
    const first = at + 48 + 32 * (sub >> 1);
    const shift = 4 * (sub & 1);
    for (let i = 0; i < 32; i++) {
      const code = ((bytes[first + i]! >> shift) & 15) | (((bytes[high + i]! >> sub) & 1) << 4);
      values[out + 32 * sub + i] = scale * code - minimum;
    }
  }
};

/** 128 bytes with the low nibbles of codes, 64 bytes with their high two bits, 16 signed scales, d. */
const readQ6_K: ReadBlock = (bytes, at, values, out) => {
  const d = f16At(bytes, at + 208);
  for (let sub = 0; sub < 16; sub++) {
    const scale = d * ((bytes[at + 192 + sub]! << 24) >> 24);
    const half = sub >> 3; // 128 values
    const quarter = (sub >> 1) & 3; // 32 values
    const offset = 16 * (sub & 1);
    const low = at + 64 * half + 32 * (quarter & 1) + offset;
    const high = at + 128 + 32 * half + offset;
    for (let i = 0; i < 16; i++) {
      const code = ((bytes[low + i]! >> (quarter < 2 ? 0 : 4)) & 15) | (((bytes[high + i]! >> (2 * quarter)) & 3) << 4);
      values[out + 16 * sub + i] = scale * (code - 32);
    }
  }
};

/** d, the high two bits of 8 scales, their low nibbles, and 128 bytes of 4-bit codes, which are indices into `IQ4_VALUES`. */
const readIQ4_XS: ReadBlock = (bytes, at, values, out) => {
  const d = f16At(bytes, at);
  const high = bytes[at + 2]! | (bytes[at + 3]! << 8);
  for (let sub = 0; sub < 8; sub++) {
    const low = (bytes[at + 4 + (sub >> 1)]! >> (4 * (sub & 1))) & 15;
    const scale = d * ((low | (((high >> (2 * sub)) & 3) << 4)) - 32);
    const first = at + 8 + 16 * sub;
    for (let i = 0; i < 16; i++) {
      const code = bytes[first + i]!;
      values[out + 32 * sub + i] = scale * IQ4_VALUES[code & 15]!;
      values[out + 32 * sub + 16 + i] = scale * IQ4_VALUES[code >> 4]!;
    }
  }
};

/** 64 bytes of 2-bit codes for −1, 0 and 1, then d. */
const readTQ2_0: ReadBlock = (bytes, at, values, out) => {
  const d = f16At(bytes, at + 64);
  for (let sub = 0; sub < 8; sub++) {
    const first = at + 32 * (sub >> 2);
    const shift = 2 * (sub & 3);
    for (let i = 0; i < 32; i++) values[out + 32 * sub + i] = d * (((bytes[first + i]! >> shift) & 3) - 1);
  }
};

export const dequantizeQ2_K = (bytes: Uint8Array): Float32Array<ArrayBuffer> => dequantizeBlocks(bytes, 84, readQ2_K);
export const dequantizeQ3_K = (bytes: Uint8Array): Float32Array<ArrayBuffer> => dequantizeBlocks(bytes, 110, readQ3_K);
export const dequantizeQ4_K = (bytes: Uint8Array): Float32Array<ArrayBuffer> => dequantizeBlocks(bytes, 144, readQ4_K);
export const dequantizeQ5_K = (bytes: Uint8Array): Float32Array<ArrayBuffer> => dequantizeBlocks(bytes, 176, readQ5_K);
export const dequantizeQ6_K = (bytes: Uint8Array): Float32Array<ArrayBuffer> => dequantizeBlocks(bytes, 210, readQ6_K);
export const dequantizeIQ4_XS = (bytes: Uint8Array): Float32Array<ArrayBuffer> =>
  dequantizeBlocks(bytes, 136, readIQ4_XS);
export const dequantizeTQ2_0 = (bytes: Uint8Array): Float32Array<ArrayBuffer> => dequantizeBlocks(bytes, 66, readTQ2_0);
