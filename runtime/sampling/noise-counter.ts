/** Channels that one counter value serves. */
const LANES = 4;
const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const KEY_STEP_0 = 0x9e3779b9;
const KEY_STEP_1 = 0xbb67ae85;
const ROUNDS = 10;

/** The image in tokens: a sixteenth of its pixels in each direction. */
export interface NoiseGrid {
  readonly height: number;
  readonly width: number;
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

/** Four unsigned 32-bit words. */
export type Words4 = readonly [number, number, number, number];
/** Two unsigned 32-bit words, the low one first where they are halves of a 64-bit integer. */
export type Words2 = readonly [number, number];

/**
 * Philox4x32-10: four random words that are a function of counter and key alone, so any value can be computed
 * without the ones before it. Salmon, Moraes, Dror and Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3".
 */
export function philox4x32(counter: Words4, key: Words2): Words4 {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, c0);
    const high1 = multiplyHigh(MULTIPLIER_1, c2);
    const low0 = Math.imul(MULTIPLIER_0, c0);
    const low1 = Math.imul(MULTIPLIER_1, c2);
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1 >>> 0;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0 >>> 0;
    k0 = (k0 + KEY_STEP_0) >>> 0;
    k1 = (k1 + KEY_STEP_1) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** Upper 32 bits of the 64-bit product. By halves of 16 bits, so that no partial sum reaches 2³². */
function multiplyHigh(a: number, b: number): number {
  const aHigh = a >>> 16;
  const aLow = a & 0xffff;
  const bHigh = b >>> 16;
  const bLow = b & 0xffff;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carry = aLow * bHigh + (middle & 0xffff);
  return aHigh * bHigh + (middle >>> 16) + (carry >>> 16);
}
