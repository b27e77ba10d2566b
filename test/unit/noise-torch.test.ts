import { describe, expect, it } from "vitest";
import { MersenneTwister, torchNoise } from "../../runtime/sampling/noise-torch.ts";
import { expectClose } from "../support/compare.ts";

describe("MersenneTwister", () => {
  it("draws 4123659995 as number 10000 of the default seed 5489, as the C++ standard requires of mt19937", () => {
    const generator = new MersenneTwister(5489);
    expect(generator.draw()).toBe(3499211612);
    for (let i = 2; i < 10000; i++) generator.draw();
    expect(generator.draw()).toBe(4123659995);
  });
});

// Expected values were printed by PyTorch itself.
describe("torchNoise", () => {
  it("draws fewer than 16 values one by one", () =>
    expectClose(
      torchNoise(42n, 15),
      [
        0.33669037, 0.12880941, 0.23446237, 0.23033302, -1.12285638, -0.18632829, 2.20820141, -0.63799703, 0.46165723,
        0.26735088, 0.5349048, 0.80935723, 1.11029029, -1.68979895, -0.98895991,
      ],
      { absolute: 1e-5 },
    ));

  it("draws 16 or more in blocks, with other values", () => {
    expectClose(torchNoise(0n, 15).subarray(0, 5), [1.540996, -0.293429, -2.178789, 0.568431, -1.084522], {
      absolute: 1e-5,
    });
    expectClose(torchNoise(0n, 16).subarray(0, 4), [-1.12583983, -1.1523602, -0.25057858, -0.43387881], {
      absolute: 1e-5,
    });
  });

  it("draws the last 16 again when the length is not a multiple of 16", () => {
    expectClose(torchNoise(0n, 17).subarray(0, 5), [-1.1258, -1.6959, 0.5667, 0.7935, 0.5988], { absolute: 6e-5 });
    expectClose(torchNoise(0n, 20).subarray(0, 5), [-1.1258, -1.1524, -0.2506, -0.4339, 0.5988], { absolute: 6e-5 });
  });

  it("stays on the sequence to the end of a large tensor", () => {
    const noise = torchNoise(1234567n, 1 * 128 * 8 * 8);
    expectClose(noise.subarray(0, 4), [-1.46202219, -0.28239587, 2.45586324, 1.61092412], { absolute: 1e-5 });
    expectClose(noise.subarray(-4), [-1.86416698, -0.48676911, 1.2485826, 0.71846998], { absolute: 1e-5 });
  });

  for (const seed of [4294967295n, 9223372036854775807n])
    it(`takes the low 32 bits of seed ${seed}`, () =>
      expectClose(torchNoise(seed, 8192).subarray(0, 4), [-2.6642976, -1.0910486, 0.45144743, 0.2283607], {
        absolute: 1e-5,
      }));

  it("gives nothing for length 0", () => expect(torchNoise(0n, 0)).toHaveLength(0));
});
