import { KleinbildError } from "../errors.ts";

/** Consecutive inputs that share one scale. */
export const QUANTIZATION_BLOCK = 32;

export interface QuantizedRows {
  /** [rows, in / 32, 32 · bits / 8]; 4-bit codes low nibble first. */
  readonly packed: Uint8Array<ArrayBuffer>;
  /** [rows · in / 32] */
  readonly scales: Float32Array<ArrayBuffer>;
}

/**
 * Rounds rows to nearest in blocks of 32 along the input, in the layout of onnxruntime's MatMulNBits without zero points:
 * value = (code − 2^(bits − 1)) · scale. The signed value of largest magnitude maps to the lowest code, as in GGUF's
 * Q4_0: on klein-nano's block matrices the mean squared error is 22 % (4 bits) and 1.5 % (8 bits) below that of ± the
 * largest magnitude, and the scales of bf16 weights are exact in f16. The best of 3 scales a block would win 7 % more at
 * 4 bits, for three times the time.
 *
 * @param values  [rows, columns], columns a multiple of 32; NaN or infinity makes the scale of its block NaN or infinite
 * @throws KleinbildError `invalid-shape`
 */
export function quantizeRows(values: Float32Array, rows: number, columns: number, bits: 4 | 8): QuantizedRows {
  if (columns % QUANTIZATION_BLOCK !== 0 || values.length !== rows * columns)
    throw new KleinbildError(
      "invalid-shape",
      `${values.length} values are not ${rows} rows of ${columns}, with a multiple of ${QUANTIZATION_BLOCK} columns.`,
    );
  const blocks = values.length / QUANTIZATION_BLOCK;
  const packed = new Uint8Array((values.length * bits) / 8);
  const scales = new Float32Array(blocks);
  const zero = 2 ** (bits - 1);
  const top = 2 * zero - 1;
  const half = zero + 0.5;
  const code = (value: number, inverse: number): number => Math.min(top, (value * inverse + half) | 0);
  // magnitudes compare as the integers of their bits: with the truncation above, over twice as fast as Math.abs and Math.round
  const words = new Int32Array(values.buffer, values.byteOffset, values.length);
  for (let block = 0; block < blocks; block++) {
    const start = block * QUANTIZATION_BLOCK;
    const end = start + QUANTIZATION_BLOCK;
    let largest = 0;
    let extreme = 0;
    for (let i = start; i < end; i++) {
      const magnitude = words[i]! & 0x7fffffff;
      if (magnitude <= largest) continue;
      largest = magnitude;
      extreme = values[i]!;
    }
    scales[block] = extreme / -zero;
    // not 1 / scale: a scale that f32 rounds (a subnormal one) would give codes out of range
    const inverse = extreme === 0 ? 0 : -zero / extreme;
    if (bits === 8) for (let i = start; i < end; i++) packed[i] = code(values[i]!, inverse);
    else
      for (let i = start; i < end; i += 2)
        packed[i >> 1] = code(values[i]!, inverse) | (code(values[i + 1]!, inverse) << 4);
  }
  return { packed, scales };
}
