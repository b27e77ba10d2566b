/** y = x · weightᵀ (+ bias); x [rows, in], weight [out, in]. */
export function linear(
  x: ArrayLike<number>,
  weight: ArrayLike<number>,
  rows: number,
  columns: number,
  out: number,
  bias?: ArrayLike<number>,
): Float64Array {
  const y = new Float64Array(rows * out);
  for (let r = 0; r < rows; r++)
    for (let o = 0; o < out; o++) {
      let sum = bias?.[o] ?? 0;
      for (let k = 0; k < columns; k++) sum += x[r * columns + k]! * weight[o * columns + k]!;
      y[r * out + o] = sum;
    }
  return y;
}

/** LayerNorm(x) ⊙ scale + shift over rows of `columns`. */
export function layerNorm(
  x: ArrayLike<number>,
  scale: ArrayLike<number>,
  shift: ArrayLike<number>,
  eps: number,
): Float64Array {
  const columns = scale.length;
  const y = new Float64Array(x.length);
  for (let start = 0; start < x.length; start += columns) {
    let mean = 0;
    for (let c = 0; c < columns; c++) mean += x[start + c]! / columns;
    let variance = 0;
    for (let c = 0; c < columns; c++) variance += (x[start + c]! - mean) ** 2 / columns;
    for (let c = 0; c < columns; c++)
      y[start + c] = ((x[start + c]! - mean) / Math.sqrt(variance + eps)) * scale[c]! + shift[c]!;
  }
  return y;
}

/** x / √(mean(x²) + eps) ⊙ weight over rows of `weight.length`. */
export function rmsNorm(x: ArrayLike<number>, weight: ArrayLike<number>, eps: number): Float64Array {
  const columns = weight.length;
  const y = new Float64Array(x.length);
  for (let start = 0; start < x.length; start += columns) {
    let square = 0;
    for (let c = 0; c < columns; c++) square += x[start + c]! ** 2 / columns;
    for (let c = 0; c < columns; c++) y[start + c] = (x[start + c]! / Math.sqrt(square + eps)) * weight[c]!;
  }
  return y;
}

export const silu = (x: number): number => x / (1 + Math.exp(-x));

/** x [height, width, in] channels last, weight [out, in, size, size]; no padding in height. */
export function convolve(
  x: ArrayLike<number>,
  height: number,
  width: number,
  weight: ArrayLike<number>,
  bias: ArrayLike<number>,
  size: number,
  { stride, padLeft, padRight }: { stride: number; padLeft: number; padRight: number },
): { readonly values: Float64Array; readonly height: number; readonly width: number } {
  const out = bias.length;
  const channels = weight.length / (out * size * size);
  const outHeight = Math.floor((height - size) / stride) + 1;
  const outWidth = Math.floor((width + padLeft + padRight - size) / stride) + 1;
  const values = new Float64Array(outHeight * outWidth * out);
  for (let row = 0; row < outHeight; row++)
    for (let column = 0; column < outWidth; column++)
      for (let o = 0; o < out; o++) {
        let sum = bias[o]!;
        for (let dy = 0; dy < size; dy++)
          for (let dx = 0; dx < size; dx++) {
            const sx = column * stride + dx - padLeft;
            if (sx < 0 || sx >= width) continue;
            for (let c = 0; c < channels; c++)
              sum +=
                x[((row * stride + dy) * width + sx) * channels + c]! *
                weight[((o * channels + c) * size + dy) * size + dx]!;
          }
        values[(row * outWidth + column) * out + o] = sum;
      }
  return { values, height: outHeight, width: outWidth };
}
