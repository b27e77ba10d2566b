import { KleinbildError } from "../errors.ts";

/** The largest seed: 2⁶³ − 1. */
export const MAX_SEED = 2n ** 63n - 1n;

/**
 * The seed as a bigint, 0 … 2⁶³ − 1, from a number, a bigint or a decimal string.
 *
 * A number is taken as the double that it is: above 2⁵³ JSON has already rounded it, and everything that rounds to
 * 2⁶³ (written 9223372036854776000 by JSON) means the largest seed. Strings and bigints are exact.
 *
 * @throws KleinbildError `invalid-request` when it is not an integer or out of range
 */
export function parseSeed(seed: number | bigint | string): bigint {
  const value = toBigInt(seed);
  if (value === undefined || value < 0n || value > MAX_SEED)
    throw new KleinbildError(
      "invalid-request",
      `seed must be an integer between 0 and ${MAX_SEED}, as a number, a bigint or a string of decimal digits; ` +
        `got ${describe(seed)}. Leave it out for a random one.`,
      { parameter: "seed" },
    );
  return value;
}

/** A random seed, an unsigned 32-bit integer: short enough to copy, and exact as a JSON number. */
export function randomSeed(): bigint {
  return BigInt(crypto.getRandomValues(new Uint32Array(1))[0]!);
}

/** The seeds of a request's pictures: counting up from the first, and from 0 again behind the largest. */
export function pictureSeeds(first: bigint, count: number): readonly bigint[] {
  return Array.from({ length: count }, (_, i) => (first + BigInt(i)) % (MAX_SEED + 1n));
}

function toBigInt(seed: number | bigint | string): bigint | undefined {
  switch (typeof seed) {
    case "bigint":
      return seed;
    case "number":
      if (seed === 2 ** 63) return MAX_SEED;
      return Number.isInteger(seed) ? BigInt(seed) : undefined;
    case "string":
      // MAX_SEED has 19 digits; a longer string is out of range and not worth converting.
      return /^\d{1,19}$/.test(seed) ? BigInt(seed) : undefined;
    default:
      seed satisfies never;
      return undefined;
  }
}

function describe(seed: unknown): string {
  return typeof seed === "string" ? JSON.stringify(seed.slice(0, 40)) : String(seed);
}
