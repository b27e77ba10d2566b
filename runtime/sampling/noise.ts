import { counterNoise, type NoiseGrid } from "./noise-counter.ts";
import { TorchGenerator } from "./noise-torch.ts";

/**
 * The noise that a seed stands for. `counter`: one noise field for each seed, from which every size takes the middle. `torch`:
 * the numbers of PyTorch's CPU generator, which reproduce the pictures of the reference pipelines.
 */
export type NoiseKind = "counter" | "torch";

/** Standard normal noise of one picture: to start from, and for the steps of a stochastic solver. */
export interface NoiseSource {
  /** [height · width, channels], tokens row by row. Call it once, before `next`. */
  initial(): Float32Array;
  /** Noise of the same shape for the next step that takes some. */
  next(): Float32Array;
}

/** The noise of a seed. */
export function seededNoise(kind: NoiseKind, seed: bigint, grid: NoiseGrid, channels: number): NoiseSource {
  switch (kind) {
    case "counter": {
      let draw = 0;
      return {
        initial: () => counterNoise(seed, grid, channels),
        next: () => counterNoise(seed, grid, channels, ++draw),
      };
    }
    case "torch": {
      const generator = new TorchGenerator(seed);
      const length = channels * grid.height * grid.width;
      // the reference pipelines draw the first noise in planes, and the noise of the steps in tokens
      return { initial: () => packTokens(generator.normal(length), channels), next: () => generator.normal(length) };
    }
    default:
      return kind satisfies never;
  }
}

/** [channels, tokens] to [tokens, channels]. */
function packTokens(planes: Float32Array, channels: number): Float32Array {
  const tokens = planes.length / channels;
  const packed = new Float32Array(planes.length);
  for (let channel = 0; channel < channels; channel++)
    for (let token = 0; token < tokens; token++) packed[token * channels + channel] = planes[channel * tokens + token]!;
  return packed;
}
