import { describe, expect, it } from "vitest";
import { parseSeed, randomSeed } from "../../runtime/sampling/seed.ts";

const MAX_SEED = 9223372036854775807n;

describe("parseSeed", () => {
  for (const [given, expected] of [
    [0, 0n],
    [42, 42n],
    [Number.MAX_SAFE_INTEGER, 9007199254740991n],
    [2 ** 53, 9007199254740992n],
    [9223372036854774784, 9223372036854774784n],
    [0n, 0n],
    [MAX_SEED, MAX_SEED],
    ["0", 0n],
    ["0042", 42n],
    ["9223372036854775807", MAX_SEED],
  ] as const)
    it(`reads the ${typeof given} ${given}`, () => expect(parseSeed(given)).toBe(expected));

  it("takes the largest number that JSON rounds to as the largest seed", () =>
    expect(parseSeed(JSON.parse("9223372036854776000") as number)).toBe(MAX_SEED));

  for (const given of [
    -1,
    0.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    9223372036854777856, // the next double above 2⁶³
    -1n,
    MAX_SEED + 1n,
    "",
    "-1",
    "1.5",
    "1e3",
    "0x10",
    " 7",
    "seven",
    "9223372036854775808",
    "00000000000000000001",
  ])
    it(`refuses the ${typeof given} ${JSON.stringify(String(given))}`, () =>
      expect(() => parseSeed(given)).toThrowError(
        expect.objectContaining({ code: "invalid-request", details: { parameter: "seed" } }),
      ));

  it("refuses anything but a number, bigint or string", () =>
    expect(() => parseSeed(null as unknown as string)).toThrowError(/got null/));
});

describe("randomSeed", () => {
  it("is an unsigned 32-bit integer, another one each time", () => {
    const seeds = Array.from({ length: 100 }, randomSeed);
    for (const seed of seeds) {
      expect(seed).toBeGreaterThanOrEqual(0n);
      expect(seed).toBeLessThan(2n ** 32n);
    }
    expect(new Set(seeds).size).toBeGreaterThan(95);
  });
});
