/** The values of block-32 codes in the layout of MatMulNBits without zero points. */
export function dequantize(
  packed: Uint8Array,
  scales: ArrayLike<number>,
  rows: number,
  columns: number,
  bits: 4 | 8,
): Float32Array {
  const values = new Float32Array(rows * columns);
  for (let i = 0; i < values.length; i++) {
    const code = bits === 8 ? packed[i]! : (packed[i >> 1]! >> (4 * (i & 1))) & 15;
    values[i] = (code - 2 ** (bits - 1)) * scales[Math.floor(i / 32)]!;
  }
  return values;
}
