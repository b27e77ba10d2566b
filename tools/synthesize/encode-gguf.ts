import { IQ4_VALUES } from "../../runtime/weights/formats/dequantize-legacy.ts";
import { clampCode, divide, putF16, rangeOf } from "./encode-blocks.ts";

/**
 * Encodes GGML's block types by rounding to nearest. This gives valid files with a reasonable error for tests and synthetic
 * checkpoints. Real quantizers search for better scales. Source of the layouts: ggml-quants.c.
 */
type EncodeBlock = (values: Float32Array, start: number, bytes: Uint8Array, at: number) => void;

interface BlockType {
  /** Number of the type in GGUF files. */
  readonly id: number;
  readonly values: number;
  readonly bytes: number;
  readonly encode: EncodeBlock;
}

/** Codes of `bits` bits with a scale and, if `withMinimum`, a minimum: Q4_0, Q4_1, Q5_0, Q5_1. */
const simple =
  (bits: 4 | 5, withMinimum: boolean): EncodeBlock =>
  (values, start, bytes, at) => {
    const top = 2 ** bits - 1;
    const { least, most, extreme } = rangeOf(values, start, 32);
    const d = putF16(bytes, at, withMinimum ? (most - least) / top : extreme / -(2 ** (bits - 1)));
    const m = withMinimum ? putF16(bytes, at + 2, least) : -(2 ** (bits - 1)) * d;
    const head = at + (withMinimum ? 4 : 2);
    const nibbles = bits === 5 ? head + 4 : head;
    for (let i = 0; i < 16; i++) {
      const low = clampCode(divide(values[start + i]! - m, d), top);
      const high = clampCode(divide(values[start + 16 + i]! - m, d), top);
      bytes[nibbles + i] = (low & 15) | ((high & 15) << 4);
      if (bits === 4) continue;
      bytes[head + (i >> 3)]! |= (low >> 4) << (i & 7);
      bytes[head + 2 + (i >> 3)]! |= (high >> 4) << (i & 7);
    }
  };

const q8_0: EncodeBlock = (values, start, bytes, at) => {
  const { extreme } = rangeOf(values, start, 32);
  const d = putF16(bytes, at, Math.abs(extreme) / 127);
  for (let i = 0; i < 32; i++) bytes[at + 2 + i] = clampCode(divide(values[start + i]!, d) + 127, 254) - 127;
};

/** Index of the nearest entry of IQ4_NL's table. */
function nearestIq4(value: number): number {
  let best = 0;
  for (let i = 1; i < 16; i++) if (Math.abs(IQ4_VALUES[i]! - value) < Math.abs(IQ4_VALUES[best]! - value)) best = i;
  return best;
}

function putIq4(values: Float32Array, start: number, scale: number, bytes: Uint8Array, at: number): void {
  for (let i = 0; i < 16; i++) {
    const low = nearestIq4(divide(values[start + i]!, scale));
    const high = nearestIq4(divide(values[start + 16 + i]!, scale));
    bytes[at + i] = low | (high << 4);
  }
}

const iq4Nl: EncodeBlock = (values, start, bytes, at) => {
  const d = putF16(bytes, at, rangeOf(values, start, 32).extreme / -127);
  putIq4(values, start, d, bytes, at + 2);
};

const iq4Xs: EncodeBlock = (values, start, bytes, at) => {
  const scales = Array.from({ length: 8 }, (_, i) => rangeOf(values, start + 32 * i, 32).extreme / -127);
  const d = putF16(bytes, at, Math.max(...scales.map(Math.abs)) / 31);
  let high = 0;
  for (const [i, scale] of scales.entries()) {
    const code = clampCode(divide(scale, d) + 32, 63);
    bytes[at + 4 + (i >> 1)]! |= (code & 15) << (4 * (i & 1));
    high |= (code >> 4) << (2 * i);
    putIq4(values, start + 32 * i, d * (code - 32), bytes, at + 8 + 16 * i);
  }
  bytes[at + 2] = high & 255;
  bytes[at + 3] = high >> 8;
};

/** Quantized scales and minima of sub-blocks. Each kind has one shared scale. */
function subScales(
  values: Float32Array,
  start: number,
  size: number,
  top: number,
): { scales: number[]; minima: number[] } {
  const ranges = Array.from({ length: 256 / size }, (_, i) => rangeOf(values, start + size * i, size));
  return {
    scales: ranges.map(({ least, most }) => (Math.max(0, most) - Math.min(0, least)) / top),
    minima: ranges.map(({ least }) => -Math.min(0, least)),
  };
}

const q2K: EncodeBlock = (values, start, bytes, at) => {
  const { scales, minima } = subScales(values, start, 16, 3);
  const d = putF16(bytes, at + 80, Math.max(...scales) / 15);
  const dmin = putF16(bytes, at + 82, Math.max(...minima) / 15);
  for (let sub = 0; sub < 16; sub++) {
    const scale = clampCode(divide(scales[sub]!, d), 15);
    const minimum = clampCode(divide(minima[sub]!, dmin), 15);
    bytes[at + sub] = scale | (minimum << 4);
    const first = at + 16 + 32 * (sub >> 3) + 16 * (sub & 1);
    for (let i = 0; i < 16; i++) {
      const code = clampCode(divide(values[start + 16 * sub + i]! + dmin * minimum, d * scale), 3);
      bytes[first + i]! |= code << (2 * ((sub >> 1) & 3));
    }
  }
};

const q3K: EncodeBlock = (values, start, bytes, at) => {
  const scales = Array.from({ length: 16 }, (_, i) => rangeOf(values, start + 16 * i, 16).extreme / -4);
  const d = putF16(bytes, at + 108, Math.max(...scales.map(Math.abs)) / 31);
  for (const [sub, scale] of scales.entries()) {
    const code = clampCode(divide(scale, d) + 32, 63);
    bytes[at + 96 + (sub & 7)]! |= (code & 15) << (sub < 8 ? 0 : 4);
    bytes[at + 104 + (sub & 3)]! |= (code >> 4) << (2 * (sub >> 2));
    const half = 16 * (sub & 1);
    for (let i = 0; i < 16; i++) {
      const value = clampCode(divide(values[start + 16 * sub + i]!, d * (code - 32)) + 4, 7);
      bytes[at + 32 + 32 * (sub >> 3) + half + i]! |= (value & 3) << (2 * ((sub >> 1) & 3));
      if (value >= 4) bytes[at + half + i]! |= 1 << (sub >> 1);
    }
  }
};

/** Q4_K and Q5_K. */
const q45K =
  (bits: 4 | 5): EncodeBlock =>
  (values, start, bytes, at) => {
    const { scales, minima } = subScales(values, start, 32, 2 ** bits - 1);
    const d = putF16(bytes, at, Math.max(...scales) / 63);
    const dmin = putF16(bytes, at + 2, Math.max(...minima) / 63);
    const codes = at + (bits === 5 ? 48 : 16);
    for (let sub = 0; sub < 8; sub++) {
      const scale = clampCode(divide(scales[sub]!, d), 63);
      const minimum = clampCode(divide(minima[sub]!, dmin), 63);
      if (sub < 4) {
        bytes[at + 4 + sub]! |= scale;
        bytes[at + 8 + sub]! |= minimum;
      } else {
        bytes[at + 8 + sub] = (scale & 15) | ((minimum & 15) << 4);
        bytes[at + sub]! |= (scale >> 4) << 6;
        bytes[at + 4 + sub]! |= (minimum >> 4) << 6;
      }
      for (let i = 0; i < 32; i++) {
        const code = clampCode(divide(values[start + 32 * sub + i]! + dmin * minimum, d * scale), 2 ** bits - 1);
        bytes[codes + 32 * (sub >> 1) + i]! |= (code & 15) << (4 * (sub & 1));
        if (bits === 5) bytes[at + 16 + i]! |= (code >> 4) << sub;
      }
    }
  };

const q6K: EncodeBlock = (values, start, bytes, at) => {
  const scales = Array.from({ length: 16 }, (_, i) => rangeOf(values, start + 16 * i, 16).extreme / -32);
  const d = putF16(bytes, at + 208, Math.max(...scales.map(Math.abs)) / 127);
  for (const [sub, scale] of scales.entries()) {
    const code = clampCode(divide(scale, d) + 127, 254) - 127;
    bytes[at + 192 + sub] = code;
    const quarter = (sub >> 1) & 3;
    const offset = 16 * (sub & 1);
    for (let i = 0; i < 16; i++) {
      const value = clampCode(divide(values[start + 16 * sub + i]!, d * code) + 32, 63);
      bytes[at + 64 * (sub >> 3) + 32 * (quarter & 1) + offset + i]! |= (value & 15) << (quarter < 2 ? 0 : 4);
      bytes[at + 128 + 32 * (sub >> 3) + offset + i]! |= (value >> 4) << (2 * quarter);
    }
  }
};

const tq2_0: EncodeBlock = (values, start, bytes, at) => {
  const d = putF16(bytes, at + 64, Math.abs(rangeOf(values, start, 256).extreme));
  for (let sub = 0; sub < 8; sub++)
    for (let i = 0; i < 32; i++) {
      const code = clampCode(divide(values[start + 32 * sub + i]!, d) + 1, 2);
      bytes[at + 32 * (sub >> 2) + i]! |= code << (2 * (sub & 3));
    }
};

export const GGUF_BLOCKS: Readonly<Record<string, BlockType>> = {
  Q4_0: { id: 2, values: 32, bytes: 18, encode: simple(4, false) },
  Q4_1: { id: 3, values: 32, bytes: 20, encode: simple(4, true) },
  Q5_0: { id: 6, values: 32, bytes: 22, encode: simple(5, false) },
  Q5_1: { id: 7, values: 32, bytes: 24, encode: simple(5, true) },
  Q8_0: { id: 8, values: 32, bytes: 34, encode: q8_0 },
  Q2_K: { id: 10, values: 256, bytes: 84, encode: q2K },
  Q3_K: { id: 11, values: 256, bytes: 110, encode: q3K },
  Q4_K: { id: 12, values: 256, bytes: 144, encode: q45K(4) },
  Q5_K: { id: 13, values: 256, bytes: 176, encode: q45K(5) },
  Q6_K: { id: 14, values: 256, bytes: 210, encode: q6K },
  IQ4_NL: { id: 20, values: 32, bytes: 18, encode: iq4Nl },
  IQ4_XS: { id: 23, values: 256, bytes: 136, encode: iq4Xs },
  TQ2_0: { id: 35, values: 256, bytes: 66, encode: tq2_0 },
};

/** Encodes whole blocks of a type. */
export function encodeGguf(type: string, values: Float32Array): Uint8Array<ArrayBuffer> {
  const block = GGUF_BLOCKS[type]!;
  const blocks = values.length / block.values;
  const bytes = new Uint8Array(blocks * block.bytes);
  for (let i = 0; i < blocks; i++) block.encode(values, i * block.values, bytes, i * block.bytes);
  return bytes;
}
