import { describe, expect, it } from "vitest";
import { seededNoise } from "../../runtime/sampling/noise.ts";
import { counterNoise, type NoiseGrid, philox4x32 } from "../../runtime/sampling/noise-counter.ts";
import { MersenneTwister } from "../../runtime/sampling/noise-torch.ts";
import { expectClose } from "../support/compare.ts";

const ONES = 0xffffffff;
const MAX_SEED = 2n ** 63n - 1n;

describe("philox4x32", () => {
  // The known answers that the authors publish with Random123 (kat_vectors, "philox4x32 10").
  it("maps zeros as published", () =>
    expect(philox4x32([0, 0, 0, 0], [0, 0])).toEqual([0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]));

  it("maps ones as published", () =>
    expect(philox4x32([ONES, ONES, ONES, ONES], [ONES, ONES])).toEqual([
      0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd,
    ]));

  it("maps the digits of π as published", () =>
    expect(philox4x32([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0])).toEqual([
      0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1,
    ]));
});

describe("counterNoise", () => {
  const middleOf = ({ height, width }: NoiseGrid) => [Math.floor(height / 2), Math.floor(width / 2)] as const;
  const grids: readonly NoiseGrid[] = [
    { height: 8, width: 8 },
    { height: 12, width: 6 },
    { height: 7, width: 9 },
    { height: 1, width: 1 },
  ];

  for (const small of grids)
    it(`has the field of a larger grid in its middle: ${small.height}×${small.width}`, () => {
      const large = { height: 15, width: 14 };
      const channels = 6;
      const inSmall = counterNoise(7n, small, channels);
      const inLarge = counterNoise(7n, large, channels);
      const [smallRow, smallColumn] = middleOf(small);
      const [largeRow, largeColumn] = middleOf(large);
      for (let row = 0; row < small.height; row++)
        for (let column = 0; column < small.width; column++) {
          const at = (row * small.width + column) * channels;
          const there = ((row - smallRow + largeRow) * large.width + column - smallColumn + largeColumn) * channels;
          expect(inSmall.subarray(at, at + channels)).toEqual(inLarge.subarray(there, there + channels));
        }
    });

  it("gives a channel the same values for any number of channels", () => {
    const three = counterNoise(7n, { height: 2, width: 2 }, 3);
    const eight = counterNoise(7n, { height: 2, width: 2 }, 8);
    for (let token = 0; token < 4; token++)
      expect(three.subarray(token * 3, token * 3 + 3)).toEqual(eight.subarray(token * 8, token * 8 + 3));
  });

  it("starts at the middle token from the published words of counter 0 and key 0", () => {
    const normal = (word0: number, word1: number, turn: (angle: number) => number) =>
      Math.sqrt(-2 * Math.log((word0 + 1) / 2 ** 32)) * turn((2 * Math.PI * word1) / 2 ** 32);
    expectClose(
      counterNoise(0n, { height: 1, width: 1 }, 4),
      [
        normal(0x6627e8d5, 0xe169c58d, Math.cos),
        normal(0x6627e8d5, 0xe169c58d, Math.sin),
        normal(0xbc57ac4c, 0x9b00dbd8, Math.cos),
        normal(0xbc57ac4c, 0x9b00dbd8, Math.sin),
      ],
      { absolute: 1e-6 },
    );
  });

  for (const seed of [0n, 1n, 42n, MAX_SEED])
    it(`is standard normal for seed ${seed}`, () => {
      const noise = counterNoise(seed, { height: 32, width: 32 }, 128);
      const mean = (power: number) => noise.reduce((sum, value) => sum + value ** power, 0) / noise.length;
      // Five standard errors of each moment of 131072 normal values.
      const errors = (variance: number) => 5 * Math.sqrt(variance / noise.length);
      expect(Math.abs(mean(1))).toBeLessThan(errors(1));
      expect(Math.abs(mean(2) - 1)).toBeLessThan(errors(2));
      expect(Math.abs(mean(3))).toBeLessThan(errors(15));
      expect(Math.abs(mean(4) - 3)).toBeLessThan(errors(96));
      const within = noise.reduce((count, value) => count + (Math.abs(value) < 1 ? 1 : 0), 0) / noise.length;
      expect(Math.abs(within - 0.682689)).toBeLessThan(errors(0.682689 * 0.317311));
    });

  it("does not correlate between neighbours", () => {
    const size = 32;
    const channels = 64;
    const noise = counterNoise(3n, { height: size, width: size }, channels);
    for (const distance of [1, 2, 4, channels, size * channels]) {
      let sum = 0;
      for (let i = distance; i < noise.length; i++) sum += noise[i]! * noise[i - distance]!;
      expect(Math.abs(sum / noise.length)).toBeLessThan(5 / Math.sqrt(noise.length));
    }
  });

  it("uses both halves of the seed", () => {
    const [base, low, high] = [0n, 1n, 2n ** 32n].map((seed) => counterNoise(seed, { height: 1, width: 1 }, 4));
    expect(low).not.toEqual(base);
    expect(high).not.toEqual(base);
    expect(high).not.toEqual(low);
  });
});

describe("seededNoise", () => {
  it("gives the counter noise under its name", () =>
    expect(seededNoise("counter", 5n, { height: 2, width: 3 }, 8).initial()).toEqual(
      counterNoise(5n, { height: 2, width: 3 }, 8),
    ));

  it("packs the torch draw of [channels, height, width] by tokens", () => {
    // PyTorch's torch.randn(16) for seed 0, here as 4 channels of 2 × 2.
    const packed = seededNoise("torch", 0n, { height: 2, width: 2 }, 4).initial();
    expectClose(
      packed,
      [
        -1.1258, 0.8487, 0.3223, 0.1198, -1.1524, 0.692, -1.2633, 1.2377, -0.2506, -0.316, 0.35, 1.1168, -0.4339,
        -2.1152, 0.3081, -0.2473,
      ],
      { absolute: 6e-5 },
    );
  });

  it("gives every further draw of a counter seed other values, and the same ones again", () => {
    const draws = (): Float32Array[] => {
      const noise = seededNoise("counter", 5n, { height: 2, width: 2 }, 4);
      return [noise.initial(), noise.next(), noise.next()];
    };
    const [initial, first, second] = draws();
    expect(draws()).toEqual([initial, first, second]);
    expect(new Set([initial, first, second].map((values) => values!.join())).size).toBe(3);
  });

  it("goes on in PyTorch's sequence, the draws of steps by tokens", () => {
    // the two halves of torch.randn(32) are not two draws of 16: the uniforms of a draw come first
    const noise = seededNoise("torch", 0n, { height: 2, width: 2 }, 4);
    noise.initial();
    const generator = new MersenneTwister(0);
    for (let i = 0; i < 16; i++) generator.draw();
    const uniform = Array.from({ length: 16 }, () => (generator.draw() & 0xffffff) * 2 ** -24);
    const radius = Math.sqrt(-2 * Math.log(1 - uniform[0]!));
    const next = noise.next();
    expect(next[0]).toBeCloseTo(radius * Math.cos(2 * Math.PI * uniform[8]!), 5);
    expect(next[8]).toBeCloseTo(radius * Math.sin(2 * Math.PI * uniform[8]!), 5);
  });
});
