import { describe, expect, it } from "vitest";
import type { KleinbildError } from "../../runtime/errors.ts";
import { quantizationError, quantizeRows } from "../../runtime/weights/quantize.ts";
import { dequantize } from "../reference/quantize.ts";
import { expectClose, randomValues } from "../support/compare.ts";

/** The signed value of largest magnitude in each block of 32. */
function extremes(values: Float32Array): number[] {
  return Array.from({ length: values.length / 32 }, (_, block) =>
    [...values.subarray(block * 32, block * 32 + 32)].reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a)),
  );
}

describe.each([
  { bits: 4, zero: 8 },
  { bits: 8, zero: 128 },
] as const)("quantizeRows to $bits bits", ({ bits, zero }) => {
  const codes = (values: Float32Array): number[] => {
    const { packed } = quantizeRows(values, 1, values.length, bits);
    return Array.from(values, (_, i) => (bits === 8 ? packed[i]! : (packed[i >> 1]! >> (4 * (i % 2))) & 15));
  };

  it("gives each block of each row its own scale and codes", () => {
    const { packed, scales } = quantizeRows(randomValues(5 * 96), 5, 96, bits);
    expect(packed.length).toBe((5 * 96 * bits) / 8);
    expect(scales.length).toBe(5 * 3);
  });

  it("maps the signed value of largest magnitude to the lowest code, and so keeps it exactly", () => {
    const values = randomValues(4 * 64, 7);
    const { packed, scales } = quantizeRows(values, 4, 64, bits);
    const expected = extremes(values);
    expect([...scales]).toEqual(expected.map((extreme) => extreme / -zero));
    expect(extremes(dequantize(packed, scales, 4, 64, bits))).toEqual(expected);
  });

  it("is nowhere further off than half a step, or one step at the opposite end", () => {
    const values = randomValues(64 * 128, 11);
    const { packed, scales } = quantizeRows(values, 64, 128, bits);
    const restored = dequantize(packed, scales, 64, 128, bits);
    for (const [i, value] of values.entries()) {
      const step = Math.abs(scales[i >> 5]!);
      const clipped = -value / scales[i >> 5]! < -(zero - 1); // the code above the highest one is asked for
      expect(Math.abs(restored[i]! - value)).toBeLessThanOrEqual(step * (clipped ? 1 : 0.5) * (1 + 1e-5));
    }
  });

  it("gives back values that are codes times a scale", () => {
    const values = Float32Array.from({ length: 32 }, (_, i) => ((i * 5) % (2 * zero)) - zero);
    values[31] = -zero;
    const { packed, scales } = quantizeRows(values, 1, 32, bits);
    expect(scales[0]).toBe(1);
    expect(dequantize(packed, scales, 1, 32, bits)).toEqual(values);
  });

  it("clips the mirror image of the largest value to the highest code", () => {
    const values = new Float32Array(32);
    values[3] = -1;
    values[4] = 1;
    expect(codes(values).slice(3, 6)).toEqual([0, 2 * zero - 1, zero]);
  });

  it("keeps blocks of zeros", () => {
    const { packed, scales } = quantizeRows(new Float32Array(32), 1, 32, bits);
    expectClose(dequantize(packed, scales, 1, 32, bits), new Float32Array(32), {});
  });

  it("does not let the smallest numbers of f32 leave the range of codes", () => {
    for (const units of [1, 3, 11, 12, 1000]) {
      const values = new Float32Array(32).fill(units * 2 ** -149);
      values[1] = -units * 2 ** -149;
      expect(codes(values).slice(0, 3)).toEqual([0, 2 * zero - 1, 0]);
    }
  });

  it("lets NaN be seen instead of hiding it in a code", () => {
    const values = randomValues(64);
    values[40] = NaN;
    const { scales } = quantizeRows(values, 1, 64, bits);
    expect(scales[0]).not.toBeNaN();
    expect(scales[1]).toBeNaN();
  });

  it("takes views that begin inside of a buffer", () => {
    const values = randomValues(64 + 3);
    expect(quantizeRows(values.subarray(3), 2, 32, bits)).toEqual(quantizeRows(values.slice(3), 2, 32, bits));
  });

  it("refuses rows that are not whole blocks, and another count of values", () => {
    for (const [length, rows, columns] of [
      [62, 2, 31],
      [66, 2, 33],
      [63, 2, 32],
      [65, 2, 32],
    ] as const)
      expect(() => quantizeRows(new Float32Array(length), rows, columns, bits)).toThrowError(
        expect.objectContaining({ code: "invalid-shape" } satisfies Partial<KleinbildError>),
      );
  });
});

it("packs two 4-bit codes a byte, the first in the low nibble", () => {
  const values = new Float32Array(32);
  values[0] = -8;
  values[1] = 7;
  values[2] = 1;
  values[3] = -2;
  const { packed } = quantizeRows(values, 1, 32, 4);
  expect([...packed.subarray(0, 3)]).toEqual([0xf0, 0x69, 0x88]);
});

describe.each([4, 8] as const)("quantizeRows by mse to %d bits", (bits) => {
  const relative = (values: Float32Array, method: "rtn" | "mse"): number => {
    const { error, norm } = quantizationError(values, quantizeRows(values, 1, values.length, bits, method), bits);
    return Math.sqrt(error / norm);
  };

  it("has a smaller error than rtn on normal values", () => {
    const random = randomValues(2 * 65_536, 3);
    const normal = Float32Array.from({ length: 65_536 }, (_, i) => {
      const radius = Math.sqrt(-2 * Math.log((random[2 * i]! + 1) / 2 + 1e-9));
      return radius * Math.cos(Math.PI * random[2 * i + 1]!);
    });
    const gain = relative(normal, "mse") / relative(normal, "rtn");
    expect(gain).toBeGreaterThan(0.9);
    expect(gain).toBeLessThan(bits === 4 ? 0.955 : 0.995);
  });

  it("is in no block further off than rtn", () => {
    const values = randomValues(32 * 200, 5);
    for (let block = 0; block < 200; block++) {
      const part = values.slice(block * 32, block * 32 + 32);
      expect(relative(part, "mse")).toBeLessThanOrEqual(relative(part, "rtn") * (1 + 1e-6));
    }
  });

  it("keeps blocks of zeros, and of one value", () => {
    const values = new Float32Array(64);
    values[40] = -3;
    const { packed, scales } = quantizeRows(values, 1, 64, bits, "mse");
    expectClose(dequantize(packed, scales, 1, 64, bits), values, { absolute: 1e-6 });
  });

  it("lets NaN be seen", () => {
    const values = randomValues(32);
    values[7] = NaN;
    expect(quantizeRows(values, 1, 32, bits, "mse").scales[0]).toBeNaN();
  });
});

describe("quantizationError", () => {
  it.each([4, 8] as const)("compares the values with their dequantized %d-bit codes", (bits) => {
    const values = randomValues(96, 9);
    const quantized = quantizeRows(values, 1, 96, bits);
    const restored = dequantize(quantized.packed, quantized.scales, 1, 96, bits);
    const sum = (term: (value: number, i: number) => number): number => values.reduce((s, v, i) => s + term(v, i), 0);
    const { error, norm } = quantizationError(values, quantized, bits);
    expect(error).toBeCloseTo(
      sum((value, i) => (restored[i]! - value) ** 2),
      6,
    );
    expect(norm).toBeCloseTo(
      sum((value) => value ** 2),
      6,
    );
  });
});
