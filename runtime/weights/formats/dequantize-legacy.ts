import { f16Value } from "../float.ts";

/**
 * GGML's blocks of 32 values with one scale, in 4, 5 or 8 bits. With 4 and 5 bits, the low nibbles hold the first half of the
 * block and the high nibbles the second. Source: ggml-quants.c, `dequantize_row_*`.
 */
const BLOCK = 32;
const HALF = 16;

/** Blocks of a scale d, a minimum m if `withMinimum`, and 16 bytes of 4-bit codes. */
function dequantizeNibbles(bytes: Uint8Array, withMinimum: boolean): Float32Array<ArrayBuffer> {
  const head = withMinimum ? 4 : 2;
  const blockBytes = head + HALF;
  const blocks = bytes.length / blockBytes;
  const values = new Float32Array(blocks * BLOCK);
  for (let block = 0; block < blocks; block++) {
    const at = block * blockBytes;
    const d = f16Value(bytes[at]!, bytes[at + 1]!);
    const m = withMinimum ? f16Value(bytes[at + 2]!, bytes[at + 3]!) : -8 * d;
    const out = block * BLOCK;
    for (let i = 0; i < HALF; i++) {
      const code = bytes[at + head + i]!;
      values[out + i] = (code & 15) * d + m;
      values[out + HALF + i] = (code >> 4) * d + m;
    }
  }
  return values;
}

/** As `dequantizeNibbles`, with a 32-bit word before the nibbles that holds the fifth bit of each code. */
function dequantizeFiveBits(bytes: Uint8Array, withMinimum: boolean): Float32Array<ArrayBuffer> {
  const head = withMinimum ? 4 : 2;
  const blockBytes = head + 4 + HALF;
  const blocks = bytes.length / blockBytes;
  const values = new Float32Array(blocks * BLOCK);
  for (let block = 0; block < blocks; block++) {
    const at = block * blockBytes;
    const d = f16Value(bytes[at]!, bytes[at + 1]!);
    const m = withMinimum ? f16Value(bytes[at + 2]!, bytes[at + 3]!) : -16 * d;
    const word = at + head;
    const high = bytes[word]! | (bytes[word + 1]! << 8) | (bytes[word + 2]! << 16) | (bytes[word + 3]! << 24);
    const out = block * BLOCK;
    for (let i = 0; i < HALF; i++) {
      const code = bytes[word + 4 + i]!;
      values[out + i] = ((code & 15) | (((high >> i) & 1) << 4)) * d + m;
      values[out + HALF + i] = ((code >> 4) | (((high >> (i + HALF)) & 1) << 4)) * d + m;
    }
  }
  return values;
}

export const dequantizeQ4_0 = (bytes: Uint8Array): Float32Array<ArrayBuffer> => dequantizeNibbles(bytes, false);
export const dequantizeQ4_1 = (bytes: Uint8Array): Float32Array<ArrayBuffer> => dequantizeNibbles(bytes, true);
export const dequantizeQ5_0 = (bytes: Uint8Array): Float32Array<ArrayBuffer> => dequantizeFiveBits(bytes, false);
export const dequantizeQ5_1 = (bytes: Uint8Array): Float32Array<ArrayBuffer> => dequantizeFiveBits(bytes, true);

/** Blocks of a scale and 32 signed bytes. */
export function dequantizeQ8_0(bytes: Uint8Array): Float32Array<ArrayBuffer> {
  const blockBytes = 2 + BLOCK;
  const blocks = bytes.length / blockBytes;
  const codes = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  const values = new Float32Array(blocks * BLOCK);
  for (let block = 0; block < blocks; block++) {
    const at = block * blockBytes;
    const d = f16Value(bytes[at]!, bytes[at + 1]!);
    for (let i = 0; i < BLOCK; i++) values[block * BLOCK + i] = codes[at + 2 + i]! * d;
  }
  return values;
}

/** The values of the 16 codes of IQ4_NL and IQ4_XS. */
export const IQ4_VALUES = Int8Array.of(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113);

/** Blocks of a scale and 16 bytes of 4-bit codes, which are indices into `IQ4_VALUES`. */
export function dequantizeIQ4_NL(bytes: Uint8Array): Float32Array<ArrayBuffer> {
  const blockBytes = 2 + HALF;
  const blocks = bytes.length / blockBytes;
  const values = new Float32Array(blocks * BLOCK);
  for (let block = 0; block < blocks; block++) {
    const at = block * blockBytes;
    const d = f16Value(bytes[at]!, bytes[at + 1]!);
    const out = block * BLOCK;
    for (let i = 0; i < HALF; i++) {
      const code = bytes[at + 2 + i]!;
      values[out + i] = IQ4_VALUES[code & 15]! * d;
      values[out + HALF + i] = IQ4_VALUES[code >> 4]! * d;
    }
  }
  return values;
}
