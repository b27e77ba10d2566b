import { describe, expect, it } from "vitest";
import { bf16ToF32, f16ToF32, f32ToF16 } from "../../runtime/weights/float.ts";
import { randomValues } from "../support/compare.ts";
import { f16BitsToF32, f32ToF16Bits } from "../support/half.ts";

const ALL_PATTERNS = Uint16Array.from({ length: 65_536 }, (_, bits) => bits);

/** By the definition of the format: 8 bits of exponent with bias 127, 7 bits of fraction. */
function bf16BitsToF32(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 7) & 0xff;
  const fraction = bits & 0x7f;
  if (exponent === 255) return fraction === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * fraction * 2 ** -133;
  return sign * (128 + fraction) * 2 ** (exponent - 134);
}

/** Indexes whose values differ; 0 and −0 do, NaN and NaN do not. */
function differing(actual: Float32Array, expected: (bits: number) => number): number[] {
  return [...ALL_PATTERNS].filter((bits) => !Object.is(actual[bits], expected(bits)));
}

/** One f32 as its f16 bits. */
const half = (value: number): number => f32ToF16(Float32Array.of(value))[0]!;

describe("bf16ToF32", () => {
  it("gives the value of each of the 65536 patterns", () =>
    expect(differing(bf16ToF32(ALL_PATTERNS), bf16BitsToF32)).toEqual([]));

  it("takes views that begin inside of a buffer, and empty ones", () => {
    expect([...bf16ToF32(Uint16Array.of(0, 0x3f80, 0xc000).subarray(1))]).toEqual([1, -2]);
    expect(bf16ToF32(new Uint16Array(0)).length).toBe(0);
  });
});

describe("f16ToF32", () => {
  it("gives the value of each of the 65536 patterns", () =>
    expect(differing(f16ToF32(ALL_PATTERNS), f16BitsToF32)).toEqual([]));
});

describe("f32ToF16", () => {
  it("gives back every finite pattern", () => {
    const finite = ALL_PATTERNS.filter((bits) => Number.isFinite(f16BitsToF32(bits)));
    expect(f32ToF16(f16ToF32(finite))).toEqual(finite);
  });

  it("rounds to nearest, ties to even, between all neighbours", () => {
    const wrong: number[] = [];
    for (let bits = 0; bits < 0x7bff; bits++) {
      const low = f16BitsToF32(bits);
      const middle = (low + f16BitsToF32(bits + 1)) / 2; // exact in f32: one bit more than f16 has
      const even = bits % 2 === 0 ? bits : bits + 1;
      const below = Math.fround(middle - middle * 2 ** -23);
      const above = Math.fround(middle + middle * 2 ** -23);
      const rounded = [...f32ToF16(Float32Array.of(below, middle, above, -middle))];
      if (String(rounded) !== String([bits, even, bits + 1, 0x8000 | even])) wrong.push(middle);
    }
    expect(wrong).toEqual([]);
  });

  it("agrees with the definition over all magnitudes", () => {
    const exponents = randomValues(20_000, 3);
    const values = randomValues(20_000, 4).map((value, i) => value * 2 ** (exponents[i]! * 30));
    const inRange = values.filter((value) => Math.abs(value) < 65_504);
    expect([...f32ToF16(inRange)]).toEqual([...inRange].map(f32ToF16Bits));
  });

  it("saturates above the largest value instead of overflowing", () => {
    for (const value of [65_504, 65_519, 65_520, 1e38, Infinity]) {
      expect(half(value)).toBe(0x7bff);
      expect(half(-value)).toBe(0xfbff);
    }
  });

  it("keeps the sign of zero and of values that underflow", () => {
    for (const value of [0, 2 ** -25, 2 ** -149]) expect([half(value), half(-value)]).toEqual([0, 0x8000]);
  });

  it("keeps NaN", () => expect(f16BitsToF32(half(NaN))).toBeNaN());

  it("takes views that begin inside of a buffer", () =>
    expect([...f32ToF16(Float32Array.of(9, 1, -2).subarray(1))]).toEqual([0x3c00, 0xc000]));
});
