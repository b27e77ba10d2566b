import { TorchGenerator } from "./noise-torch.ts";
import { philox4x32, type Words2 } from "./philox.ts";

/**
 * The noise that a seed stands for. `counter`: one noise field for each seed, from which every size takes the middle. `torch`:
 * the numbers of PyTorch's CPU generator, which reproduce the pictures of the reference pipelines.
 */
export type NoiseKind = "counter" | "torch";

/** The image in tokens: a sixteenth of its pixels in each direction. */
export interface NoiseGrid {
  readonly height: number;
  readonly width: number;
}

/** Channels that one counter value serves. */
const LANES = 4;

/** Standard normal noise of one picture: to start from, and for the steps of a stochastic solver. */
export interface NoiseSource {
  /** [height · width, channels], tokens row by row. Call it once, before `next`. */
  initial(): Float32Array;
  /** Noise of the same shape for the next step that takes some. */
  next(): Float32Array;
}

/** The noise that a seed stands for. */
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
      // the reference pipelines draw the first noise in planes, and that of the steps in tokens
      return { initial: () => packTokens(generator.normal(length), channels), next: () => generator.normal(length) };
    }
    default:
      return kind satisfies never;
  }
}

/**
 * Noise in which each value is a function of the seed, its channel, and its place relative to the middle token
 * (⌊height / 2⌋, ⌊width / 2⌋): two sizes have the same noise where they overlap when laid middle on middle, whatever
 * the order or the device that computes it.
 *
 * Philox4x32-10 with the seed as key and (channel group, row, column, draw) as counter, rows and columns in two's
 * complement; its four words become four channels by Box–Muller.
 *
 * @param seed 64 bit
 * @param draw 0 for the noise to start from, then counting up
 * @returns [height · width, channels], tokens row by row
 */
export function counterNoise(seed: bigint, grid: NoiseGrid, channels: number, draw = 0): Float32Array {
  const key: Words2 = [Number(BigInt.asUintN(32, seed)), Number(BigInt.asUintN(32, seed >> 32n))];
  const middleRow = Math.floor(grid.height / 2);
  const middleColumn = Math.floor(grid.width / 2);
  const noise = new Float32Array(grid.height * grid.width * channels);
  const lanes = new Float32Array(LANES);
  for (let row = 0; row < grid.height; row++)
    for (let column = 0; column < grid.width; column++) {
      const token = (row * grid.width + column) * channels;
      for (let channel = 0; channel < channels; channel += LANES) {
        const counter = [channel / LANES, (row - middleRow) >>> 0, (column - middleColumn) >>> 0, draw] as const;
        const [w0, w1, w2, w3] = philox4x32(counter, key);
        boxMuller(w0, w1, lanes, 0);
        boxMuller(w2, w3, lanes, 2);
        noise.set(lanes.subarray(0, channels - channel), token + channel);
      }
    }
  return noise;
}

/** Two random words to two normal values. The first uniform is in (0, 1], so the logarithm is finite. */
function boxMuller(word0: number, word1: number, out: Float32Array, at: number): void {
  const radius = Math.sqrt(-2 * Math.log((word0 + 1) * 2 ** -32));
  const angle = 2 * Math.PI * word1 * 2 ** -32;
  out[at] = radius * Math.cos(angle);
  out[at + 1] = radius * Math.sin(angle);
}

/** [channels, tokens] to [tokens, channels]. */
function packTokens(planes: Float32Array, channels: number): Float32Array {
  const tokens = planes.length / channels;
  const packed = new Float32Array(planes.length);
  for (let channel = 0; channel < channels; channel++)
    for (let token = 0; token < tokens; token++) packed[token * channels + channel] = planes[channel * tokens + token]!;
  return packed;
}
