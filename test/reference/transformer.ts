import { layerNorm, silu } from "./dense.ts";

/** Blocks of the diffusion transformer on the CPU, over 4-bit weights too large to be unpacked whole. */

/** Block-32 codes (low nibble first, zero point 8) of a matrix [out, in] with a scale a block. */
export interface PackedMatrix {
  readonly out: number;
  readonly in: number;
  readonly packed: Uint8Array<ArrayBuffer>;
  readonly scales: Float32Array<ArrayBuffer>;
}

export interface ModulationVectors {
  readonly shift: Float32Array;
  /** 1 + scale */
  readonly scale: Float32Array;
  readonly gate: Float32Array;
}

export interface Heads {
  readonly heads: number;
  readonly headDim: number;
  readonly eps: number;
}

/** x [rows, in] · matrixᵀ, [rows, out] */
export function packedLinear(x: Float32Array, { out, in: columns, packed, scales }: PackedMatrix): Float32Array {
  const rows = x.length / columns;
  const y = new Float32Array(rows * out);
  const weights = new Float32Array(columns);
  for (let o = 0; o < out; o++) {
    for (let k = 0; k < columns; k++) {
      const byte = packed[(o * columns + k) >> 1]!;
      weights[k] = ((k & 1 ? byte >> 4 : byte & 15) - 8) * scales[(o * columns + k) >> 5]!;
    }
    for (let r = 0; r < rows; r++) {
      let sum = 0;
      for (let k = 0; k < columns; k++) sum += x[r * columns + k]! * weights[k]!;
      y[r * out + o] = sum;
    }
  }
  return y;
}

export function modulate(x: Float32Array, { scale, shift }: ModulationVectors, eps: number): Float32Array {
  return Float32Array.from(layerNorm(x, scale, shift, eps));
}

/** RMS norm of each head, then the rotation of adjacent pairs. */
export function normAndRotate(
  x: Float32Array,
  weight: Float32Array,
  rotary: Float32Array,
  { heads, headDim, eps }: Heads,
): Float32Array {
  const out = new Float32Array(x.length);
  for (let start = 0; start < x.length; start += headDim) {
    const row = Math.floor(start / (heads * headDim));
    let squares = 0;
    for (let c = 0; c < headDim; c++) squares += x[start + c]! ** 2;
    const inverse = 1 / Math.sqrt(squares / headDim + eps);
    for (let pair = 0; pair < headDim / 2; pair++) {
      const cosine = rotary[row * headDim + 2 * pair]!;
      const sine = rotary[row * headDim + 2 * pair + 1]!;
      const a = x[start + 2 * pair]! * inverse * weight[2 * pair]!;
      const b = x[start + 2 * pair + 1]! * inverse * weight[2 * pair + 1]!;
      out[start + 2 * pair] = a * cosine - b * sine;
      out[start + 2 * pair + 1] = a * sine + b * cosine;
    }
  }
  return out;
}

/** softmax(q kᵀ / √headDim) v for query rows [rows, heads · headDim] over all keys. */
export function attend(q: Float32Array, k: Float32Array, v: Float32Array, { heads, headDim }: Heads): Float32Array {
  const width = heads * headDim;
  const out = new Float32Array(q.length);
  const keys = k.length / width;
  const scores = new Float64Array(keys);
  for (let row = 0; row < q.length / width; row++)
    for (let head = 0; head < heads; head++) {
      const at = row * width + head * headDim;
      let largest = -Infinity;
      for (let key = 0; key < keys; key++) {
        let score = 0;
        for (let c = 0; c < headDim; c++) score += q[at + c]! * k[key * width + head * headDim + c]!;
        scores[key] = score / Math.sqrt(headDim);
        largest = Math.max(largest, scores[key]!);
      }
      let sum = 0;
      for (let key = 0; key < keys; key++) sum += scores[key] = Math.exp(scores[key]! - largest);
      for (let key = 0; key < keys; key++)
        for (let c = 0; c < headDim; c++) out[at + c]! += (scores[key]! / sum) * v[key * width + head * headDim + c]!;
    }
  return out;
}

/** SiLU(x · gateᵀ) ⊙ (x · upᵀ) */
export function gatedUnits(x: Float32Array, gate: PackedMatrix, up: PackedMatrix): Float32Array {
  const ups = packedLinear(x, up);
  return packedLinear(x, gate).map((value, i) => silu(value) * ups[i]!);
}

/** hidden + gate ⊙ branch */
export function addGated(hidden: Float32Array, gate: Float32Array, branch: Float32Array): Float32Array {
  return hidden.map((value, i) => value + gate[i % gate.length]! * branch[i]!);
}

export function concatenate(...parts: readonly Float32Array[]): Float32Array {
  const joined = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
