import { type KernelLayout, paddedChannels } from "../backend/matrix.ts";

/** Shape and values of a convolution's weight as it lies on the GPU. */
export interface LaidOutKernel {
  readonly shape: readonly number[];
  readonly values: Float32Array<ArrayBuffer>;
}

type KernelShape = readonly [out: number, inputs: number, size: number];

/** A weight [out, inputs, size, size] in a layout, its inputs padded by zeros to whole quads. */
export function layOutKernel(
  values: Float32Array,
  [out, inputs, size]: KernelShape,
  layout: KernelLayout,
): LaidOutKernel {
  const padded = paddedChannels(inputs);
  const taps = size * size;
  if (layout === "ohwi")
    return { shape: [out, size, size, padded], values: channelsLast(values, [out, inputs, size], padded) };
  const planes = new Float32Array(out * padded * taps);
  for (let o = 0; o < out; o++)
    planes.set(values.subarray(o * inputs * taps, (o + 1) * inputs * taps), o * padded * taps);
  return { shape: [out, padded, size, size], values: planes };
}

/**
 * Nearest upsampling by two, then a 3×3 convolution [out, inputs, 3, 3], as four 2×2 convolutions of the map before:
 * [4, out, 2, 2, inputs], one for each place (row · 2 + column) of the four that a position becomes. Taps that meet the same
 * position are summed, so that 4 · 4 products take the place of 4 · 9.
 */
export function upsamplingPhases(values: Float32Array, out: number, inputs: number): LaidOutKernel {
  const padded = paddedChannels(inputs);
  const last = channelsLast(values, [out, inputs, 3], padded);
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
  return { shape: [4, out, 2, 2, padded], values: phases };
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
