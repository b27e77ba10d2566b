import { describe, expect, it } from "vitest";
import { timeFeatures } from "../../runtime/transformer/modulation.ts";
import { expectClose } from "../support/compare.ts";

/** From the specification of the model. */
const COSINES_AT_1 = [0.562379, 0.789615, 0.439954, -0.02367];
const SINES_AT_1 = [0.82688, 0.613603, -0.89802, 0.99972];
const CHANNELS = 256;
const half = CHANNELS / 2;

describe("timeFeatures", () => {
  it("begins with the cosines, then has the sines, of 1000 σ", () => {
    const features = timeFeatures([1], CHANNELS);
    expect(features).toHaveLength(CHANNELS);
    expectClose(features.subarray(0, 4), COSINES_AT_1, { absolute: 6e-6 });
    expectClose(features.subarray(half, half + 4), SINES_AT_1, { absolute: 6e-6 });
  });

  it("falls in frequency from 1 to 1.0746e-4", () => {
    const features = timeFeatures([0.001], CHANNELS); // angle = frequency
    const frequency = (i: number) => Math.atan2(features[half + i]!, features[i]!);
    expect(frequency(0)).toBeCloseTo(1, 6);
    expect(frequency(1)).toBeCloseTo(0.93057204, 6);
    expect(frequency(127)).toBeCloseTo(1.0746e-4, 8);
  });

  it("is ones, then zeros, at σ 0", () => {
    const features = timeFeatures([0], CHANNELS);
    expect([...features.subarray(0, half)]).toEqual(Array.from({ length: half }, () => 1));
    expect([...features.subarray(half)]).toEqual(Array.from({ length: half }, () => 0));
  });

  it("does not round 1000 σ to bf16, where the next number is 4 away", () => {
    const [first] = timeFeatures([0.717497], CHANNELS);
    expect(first).toBeCloseTo(Math.cos(717.497), 6); // with 716 it would be 0.96
  });

  it("gives each sigma its row", () => {
    const sigmas = [1, 0.5, 0];
    const rows = timeFeatures(sigmas, 6);
    for (const [i, sigma] of sigmas.entries())
      expect(rows.subarray(i * 6, (i + 1) * 6)).toEqual(timeFeatures([sigma], 6));
    expect(timeFeatures([], 6)).toHaveLength(0);
  });
});
