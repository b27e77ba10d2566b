/** Rows of heads side by side, [rows, heads · headDim], as the projections give them. */
export interface HeadRows {
  readonly values: ArrayLike<number>;
  readonly heads: number;
  readonly headDim: number;
}

export interface AttentionRules {
  /** What the products are multiplied by; 1 / √headDim unless given. */
  readonly scale?: number;
  /** Query i sees keys 0 … i only. */
  readonly causal?: boolean;
  /** Key j counts if mask[j] is not 0. */
  readonly mask?: ArrayLike<number> | undefined;
}

/**
 * out = softmax(scale · q kᵀ) v for each head. Query head h uses key head ⌊h · kvHeads / heads⌋. A query without keys gives
 * zeros.
 */
export function attention(
  queries: HeadRows,
  keys: HeadRows,
  values: HeadRows,
  rules: AttentionRules = {},
): Float64Array {
  const { heads, headDim } = queries;
  const rows = queries.values.length / (heads * headDim);
  const keyCount = keys.values.length / (keys.heads * headDim);
  const scale = rules.scale ?? 1 / Math.sqrt(headDim);
  const at = ({ values: x, heads: n }: HeadRows, row: number, head: number, c: number): number =>
    x[(row * n + head) * headDim + c]!;
  const out = new Float64Array(rows * heads * headDim);
  for (let head = 0; head < heads; head++) {
    const kvHead = Math.floor((head * keys.heads) / heads);
    for (let row = 0; row < rows; row++) {
      const seen: number[] = [];
      for (let key = 0; key < keyCount; key++)
        if (!(rules.causal && key > row) && (!rules.mask || rules.mask[key])) seen.push(key);
      const scores = seen.map((key) => {
        let product = 0;
        for (let c = 0; c < headDim; c++) product += at(queries, row, head, c) * at(keys, key, kvHead, c);
        return product * scale;
      });
      const maximum = Math.max(...scores);
      const weights = scores.map((score) => Math.exp(score - maximum));
      const sum = weights.reduce((total, weight) => total + weight, 0);
      for (const [i, key] of seen.entries())
        for (let c = 0; c < headDim; c++)
          out[(row * heads + head) * headDim + c]! += (weights[i]! / sum) * at(values, key, kvHead, c);
    }
  }
  return out;
}

/**
 * RMS norm of each head, then rotary embedding.
 *
 * @param weight  [headDim]
 * @param angles  [rows, headDim / 2]: rotation of pair j of a row
 * @param pairs   pair j is the channels 2j and 2j + 1, or j and j + headDim / 2
 */
export function normRotate(
  { values, heads, headDim }: HeadRows,
  weight: ArrayLike<number>,
  angles: ArrayLike<number>,
  eps: number,
  pairs: "adjacent" | "halves",
): Float64Array {
  const half = headDim / 2;
  const out = new Float64Array(values.length);
  for (let start = 0; start < values.length; start += headDim) {
    const row = Math.floor(start / (heads * headDim));
    let square = 0;
    for (let c = 0; c < headDim; c++) square += values[start + c]! ** 2 / headDim;
    const normed = (c: number): number => (values[start + c]! / Math.sqrt(square + eps)) * weight[c]!;
    for (let j = 0; j < half; j++) {
      const [first, second] = pairs === "adjacent" ? [2 * j, 2 * j + 1] : [j, j + half];
      const cosine = Math.cos(angles[row * half + j]!);
      const sine = Math.sin(angles[row * half + j]!);
      out[start + first] = normed(first) * cosine - normed(second) * sine;
      out[start + second] = normed(first) * sine + normed(second) * cosine;
    }
  }
  return out;
}
