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
 * value = (code − 2^(bits − 1)) · scale. The signed value of largest magnitude maps to the lowest code, which uses the
 * whole range of codes (as GGUF's Q4_0 and Q8 forms do).
 *
 * @param values  [rows, columns], columns a multiple of 32
 */
export function quantizeRows(values: Float32Array, rows: number, columns: number, bits: 4 | 8): QuantizedRows {
  const blocks = (rows * columns) / QUANTIZATION_BLOCK;
  const packed = new Uint8Array((rows * columns * bits) / 8);
  const scales = new Float32Array(blocks);
  const zero = 2 ** (bits - 1);
  const top = 2 * zero - 1;
  for (let block = 0; block < blocks; block++) {
    const start = block * QUANTIZATION_BLOCK;
    let extreme = 0;
    for (let i = start; i < start + QUANTIZATION_BLOCK; i++)
      if (Math.abs(values[i]!) > Math.abs(extreme)) extreme = values[i]!;
    const scale = Math.fround(extreme / -zero);
    const inverse = scale === 0 ? 0 : 1 / scale;
    scales[block] = scale;
    for (let i = 0; i < QUANTIZATION_BLOCK; i++) {
      const code = Math.min(top, Math.round(values[start + i]! * inverse) + zero);
      if (bits === 8) packed[start + i] = code;
      else packed[(start + i) >> 1]! |= i % 2 === 0 ? code : code << 4;
    }
  }
  return { packed, scales };
}
