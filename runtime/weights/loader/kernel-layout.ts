import { type KernelLayout, paddedChannels } from "../../backend/matrix.ts";

/** How the weight of a convolution is stored on the GPU. */
export interface KernelConversion {
  readonly shape: readonly number[];
  /** Converts the values of the file to this shape. */
  readonly convert: (stored: Float32Array) => Float32Array<ArrayBuffer>;
}

type KernelShape = readonly [out: number, inputs: number, size: number];

/** Converts a weight [out, inputs, size, size] to a layout. Inputs are padded with zeros to a multiple of four. */
export function kernelConversion([out, inputs, size]: KernelShape, layout: KernelLayout): KernelConversion {
  const padded = paddedChannels(inputs);
  if (layout === "ohwi")
    return { shape: [out, size, size, padded], convert: (stored) => channelsLast(stored, [out, inputs, size], padded) };
  return {
    shape: [out, padded, size, size],
    convert: (stored) => {
      const [from, to] = [inputs * size * size, padded * size * size];
      const planes = new Float32Array(out * to);
      for (let o = 0; o < out; o++) planes.set(stored.subarray(o * from, (o + 1) * from), o * to);
      return planes;
    },
  };
}

/**
 * Converts a 3×3 convolution [out, inputs, 3, 3] that follows a nearest upsampling by two. Upsampling turns each position into
 * four, at row · 2 + column. For each of the four, the two operations equal a 2×2 convolution of the smaller map:
 * [4, out, 2, 2, inputs]. Taps that read the same position are summed, so that 4 · 4 products replace 4 · 9.
 */
export function upsamplingConversion(out: number, inputs: number): KernelConversion {
  const padded = paddedChannels(inputs);
  return {
    shape: [4, out, 2, 2, padded],
    convert: (stored) => {
      const last = channelsLast(stored, [out, inputs, 3], padded);
      const kernels = new Float32Array(4 * out * 4 * padded);
      for (let quarter = 0; quarter < 4; quarter++)
        for (let o = 0; o < out; o++)
          for (let row = 0; row < 3; row++)
            for (let column = 0; column < 3; column++) {
              // in an even row or column the first tap reads the position before, in an odd one the last tap reads the one after
              const tap = ((row + 1 - (quarter >> 1)) >> 1) * 2 + ((column + 1 - (quarter & 1)) >> 1);
              const [from, to] = [(o * 9 + row * 3 + column) * padded, ((quarter * out + o) * 4 + tap) * padded];
              for (let i = 0; i < inputs; i++) kernels[to + i]! += last[from + i]!;
            }
      return kernels;
    },
  };
}

function channelsLast(
  values: Float32Array,
  [out, inputs, size]: KernelShape,
  padded: number,
): Float32Array<ArrayBuffer> {
  const taps = size * size;
  const moved = new Float32Array(out * taps * padded);
  for (let o = 0; o < out; o++)
    for (let i = 0; i < inputs; i++)
      for (let tap = 0; tap < taps; tap++)
        moved[(o * taps + tap) * padded + i] = values[(o * inputs + i) * taps + tap]!;
  return moved;
}
