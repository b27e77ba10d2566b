import { KleinbildError } from "../errors.ts";
import type { PackedRows } from "./formats/tensor-file.ts";

/** Consecutive inputs that share one scale. */
export const QUANTIZATION_BLOCK = 32;

/** Bits of a value in each packed format. */
export const QUANTIZATION_BITS = { q8: 8, q4: 4 } as const;

/**
 * How the scale of a block is chosen. `rtn`: from the largest magnitude, rounding to nearest. `mse`: the one of several
 * scales with the least squared error.
 *
 * On klein-nano's block matrices `mse` has 10.5 % (4 bits) and 2.6 % (8 bits) less squared error than `rtn`; one core does
 * 235 million values a second with `rtn`, 51 (4 bits) and 157 (8 bits) with `mse`.
 */
export type QuantizationMethod = "rtn" | "mse";

/**
 * What `mse` tries: the codes of the value of largest magnitude, less the lowest one. Beyond the lowest it is clipped, and
 * the others have finer steps. With 8 bits there is nothing to win by clipping.
 */
const TRIALS = { 4: [0, 0.45, 0.9, -0.45, -0.9, -1.35], 8: [0] } as const;

/**
 * Rounds rows in blocks of 32 along the input, in the layout of onnxruntime's MatMulNBits without zero points:
 * value = (code − 2^(bits − 1)) · scale. With `rtn` the signed value of largest magnitude maps to the lowest code, as in
 * GGUF's Q4_0: on klein-nano's block matrices the mean squared error is 22 % (4 bits) and 1.5 % (8 bits) below that of ±
 * the largest magnitude, and the scales of bf16 weights are exact in f16.
 *
 * @param values  [rows, columns], columns a multiple of 32; NaN or infinity makes the scale of its block NaN or infinite
 * @throws KleinbildError `invalid-shape`
 */
export function quantizeRows(
  values: Float32Array,
  rows: number,
  columns: number,
  bits: 4 | 8,
  method: QuantizationMethod = "rtn",
): PackedRows {
  if (columns % QUANTIZATION_BLOCK !== 0 || values.length !== rows * columns)
    throw new KleinbildError(
      "invalid-shape",
      `${values.length} values are not ${rows} rows of ${columns}, with a multiple of ${QUANTIZATION_BLOCK} columns.`,
    );
  const packed = new Uint8Array((values.length * bits) / 8);
  const scales = new Float32Array(values.length / QUANTIZATION_BLOCK);
  const zero = 2 ** (bits - 1);
  // magnitudes compare as the integers of their bits: with the truncation below, over twice as fast as Math.abs and Math.round
  const words = new Int32Array(values.buffer, values.byteOffset, values.length);
  for (let block = 0; block < scales.length; block++) {
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
    let inverse = extreme === 0 ? 0 : -zero / extreme;
    if (method === "mse" && extreme !== 0) {
      let best = 0;
      for (const beyond of TRIALS[bits]) {
        const trial = -(zero + beyond) / extreme;
        fitScale(values, start, trial, zero);
        // what the squared error is below the sum of squares by
        const gain = fit.product ** 2 / fit.squares;
        if (!(gain > best)) continue; // also NaN
        best = gain;
        inverse = trial;
        scales[block] = fit.product / fit.squares;
      }
    }
    writeCodes(values, start, inverse, bits, packed);
  }
  return { packed, scales };
}

/** Of the last `fitScale`: Σ value · code and Σ code², codes signed. Their quotient is the scale of least squares. */
const fit = { product: 0, squares: 0 };

function fitScale(values: Float32Array, start: number, inverse: number, zero: number): void {
  const top = 2 * zero - 1;
  const half = zero + 0.5;
  let product = 0;
  let squares = 0;
  for (let i = start; i < start + QUANTIZATION_BLOCK; i++) {
    const value = values[i]!;
    const code = Math.min(top, (value * inverse + half) | 0) - zero;
    product += value * code;
    squares += code * code;
  }
  fit.product = product;
  fit.squares = squares;
}

/** @param inverse  codes a unit of value; the lowest code is reached by less than 1.5 below it */
function writeCodes(values: Float32Array, start: number, inverse: number, bits: 4 | 8, packed: Uint8Array): void {
  const zero = 2 ** (bits - 1);
  const top = 2 * zero - 1;
  const half = zero + 0.5;
  const end = start + QUANTIZATION_BLOCK;
  if (bits === 8) for (let i = start; i < end; i++) packed[i] = Math.min(top, (values[i]! * inverse + half) | 0);
  else
    for (let i = start; i < end; i += 2)
      packed[i >> 1] =
        Math.min(top, (values[i]! * inverse + half) | 0) | (Math.min(top, (values[i + 1]! * inverse + half) | 0) << 4);
}

/** Σ (value − restored)² and Σ value²: the root of their quotient is the relative error. */
export interface SquaredError {
  readonly error: number;
  readonly norm: number;
}

/** How far quantized rows are from the values that they are of. */
export function quantizationError(values: Float32Array, { packed, scales }: PackedRows, bits: 4 | 8): SquaredError {
  const zero = 2 ** (bits - 1);
  let error = 0;
  let norm = 0;
  for (let i = 0; i < values.length; i++) {
    const code = bits === 8 ? packed[i]! : (packed[i >> 1]! >> (4 * (i & 1))) & 15;
    const value = values[i]!;
    const difference = value - (code - zero) * scales[i >> 5]!;
    error += difference * difference;
    norm += value * value;
  }
  return { error, norm };
}
