import { torchNoise } from "./noise-torch.ts";
import { philox4x32, type Words2 } from "./philox.ts";

/**
 * `counter` is ours: one noise field a seed, of which an image sees its middle. `torch` is what PyTorch's CPU
 * generator draws, for the pictures of the reference pipelines.
 */
export type NoiseKind = "counter" | "torch";

/** The image in tokens: a sixteenth of its pixels in each direction. */
export interface NoiseGrid {
  readonly height: number;
  readonly width: number;
}

/** Channels that one counter value serves. */
const LANES = 4;

/**
 * Standard normal noise to start from.
 *
 * @returns [height · width, channels], tokens row by row
 */
export function makeNoise(kind: NoiseKind, seed: bigint, grid: NoiseGrid, channels: number): Float32Array {
  switch (kind) {
    case "counter":
      return counterNoise(seed, grid, channels);
    case "torch":
      return packTokens(torchNoise(seed, channels * grid.height * grid.width), channels);
    default:
      return kind satisfies never;
  }
}

/**
 * Noise in which each value is a function of the seed, its channel, and its place relative to the middle token
 * (⌊height / 2⌋, ⌊width / 2⌋): two sizes have the same noise where they overlap when laid middle on middle, whatever
 * the order or the device that computes it.
 *
 * Philox4x32-10 with the seed as key and (channel group, row, column, 0) as counter, rows and columns in two's
 * complement; its four words become four channels by Box–Muller.
 *
 * @param seed 64 bit
 * @returns [height · width, channels], tokens row by row
 */
export function counterNoise(seed: bigint, grid: NoiseGrid, channels: number): Float32Array {
  const key: Words2 = [Number(BigInt.asUintN(32, seed)), Number(BigInt.asUintN(32, seed >> 32n))];
  const middleRow = Math.floor(grid.height / 2);
  const middleColumn = Math.floor(grid.width / 2);
  const noise = new Float32Array(grid.height * grid.width * channels);
  const lanes = new Float32Array(LANES);
  for (let row = 0; row < grid.height; row++)
    for (let column = 0; column < grid.width; column++) {
      const token = (row * grid.width + column) * channels;
      for (let channel = 0; channel < channels; channel += LANES) {
        const counter = [channel / LANES, (row - middleRow) >>> 0, (column - middleColumn) >>> 0, 0] as const;
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
