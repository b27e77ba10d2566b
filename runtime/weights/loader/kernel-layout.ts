import { type KernelLayout, paddedChannels } from "../../backend/matrix.ts";

/** How a convolution's weight lies on the GPU. */
export interface KernelLaying {
  readonly shape: readonly number[];
  /** Its values in this shape, from those of the file. */
  readonly layOut: (stored: Float32Array) => Float32Array<ArrayBuffer>;
}

type KernelShape = readonly [out: number, inputs: number, size: number];

/** A weight [out, inputs, size, size] in a layout, its inputs padded by zeros to whole quads. */
export function kernelLaying([out, inputs, size]: KernelShape, layout: KernelLayout): KernelLaying {
  const padded = paddedChannels(inputs);
  if (layout === "ohwi")
    return { shape: [out, size, size, padded], layOut: (stored) => channelsLast(stored, [out, inputs, size], padded) };
  return {
    shape: [out, padded, size, size],
    layOut: (stored) => {
      const [from, to] = [inputs * size * size, padded * size * size];
      const planes = new Float32Array(out * to);
      for (let o = 0; o < out; o++) planes.set(stored.subarray(o * from, (o + 1) * from), o * to);
      return planes;
    },
  };
}

/**
 * Nearest upsampling by two, then a 3×3 convolution [out, inputs, 3, 3], as four 2×2 convolutions of the map before:
 * [4, out, 2, 2, inputs], one for each place (row · 2 + column) of the four that a position becomes. Taps that meet the same
 * position are summed, so that 4 · 4 products take the place of 4 · 9.
 */
export function upsamplingLaying(out: number, inputs: number): KernelLaying {
  const padded = paddedChannels(inputs);
  return {
    shape: [4, out, 2, 2, padded],
    layOut: (stored) => {
      const last = channelsLast(stored, [out, inputs, 3], padded);
      const phases = new Float32Array(4 * out * 4 * padded);
      for (let phase = 0; phase < 4; phase++)
        for (let o = 0; o < out; o++)
          for (let row = 0; row < 3; row++)
            for (let column = 0; column < 3; column++) {
              // of an even place the first tap meets the position before, of an odd one the last tap that after
              const tap = ((row + 1 - (phase >> 1)) >> 1) * 2 + ((column + 1 - (phase & 1)) >> 1);
              const [from, to] = [(o * 9 + row * 3 + column) * padded, ((phase * out + o) * 4 + tap) * padded];
              for (let i = 0; i < inputs; i++) phases[to + i]! += last[from + i]!;
            }
      return phases;
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
