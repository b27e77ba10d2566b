import { describe, expect, it } from "vitest";
import { GGUF_TYPES } from "../../../runtime/weights/formats/gguf-types.ts";
import { encodeGguf, GGUF_BLOCKS } from "../../../tools/synthesize/encode-gguf.ts";
import { randomValues } from "../../support/compare.ts";

/** The most that each type may be off: n levels over uniform values give 1 / (n − 1), and scales of few bits some more. */
const MOST: Readonly<Record<string, number>> = {
  Q4_0: 0.08,
  Q4_1: 0.067,
  Q5_0: 0.04,
  Q5_1: 0.033,
  Q8_0: 0.006,
  Q2_K: 0.33,
  Q3_K: 0.15,
  Q4_K: 0.067,
  Q5_K: 0.033,
  Q6_K: 0.02,
  IQ4_NL: 0.09,
  IQ4_XS: 0.1,
  TQ2_0: 0.55,
};

describe.each(Object.entries(GGUF_BLOCKS))("values encoded as %s", (type, block) => {
  const codec = GGUF_TYPES.get(block.id)!;
  const relative = (values: Float32Array): number => {
    const decoded = codec.decode(encodeGguf(type, values));
    const square = (all: Float32Array): number => all.reduce((sum, value) => sum + value * value, 0);
    return Math.sqrt(square(decoded.map((value, i) => value - values[i]!)) / square(values));
  };

  it("are those that are read, within the error of its bits", () => {
    expect(codec).toMatchObject({ type, blockValues: block.values, blockBytes: block.bytes });
    expect(relative(randomValues(4096, 3))).toBeLessThan(MOST[type]!);
  });

  it("may be positive, negative, tiny or zero", () => {
    const random = randomValues(1024, 5);
    expect(relative(random.map((value) => Math.abs(value) + 0.1))).toBeLessThan(2 * MOST[type]!);
    expect(relative(random.map((value) => -Math.abs(value) - 0.1))).toBeLessThan(2 * MOST[type]!);
    expect(relative(random.map((value) => value * 0.01))).toBeLessThan(1.5 * MOST[type]!);
    expect([...codec.decode(encodeGguf(type, new Float32Array(256)))].every((value) => value === 0)).toBe(true);
  });
});
