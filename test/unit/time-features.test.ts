import { describe, expect, it } from "vitest";
import { timeFeatures } from "../../runtime/transformer/modulation.ts";
import { expectClose } from "../support/compare.ts";

const CHANNELS = 256;
const HALF = CHANNELS / 2;

describe("timeFeatures", () => {
  it("has the specification's values at sigma 1, cosines first", () => {
    const features = timeFeatures([1], CHANNELS);
    expect(features).toHaveLength(CHANNELS);
    expectClose(features.subarray(0, 4), [0.562379, 0.789615, 0.439954, -0.02367], { absolute: 5e-6 });
    expectClose(features.subarray(HALF, HALF + 4), [0.82688, 0.613603, -0.89802, 0.99972], { absolute: 5e-6 });
  });

  it("has frequencies from 1 down to 1.0746e-4", () => {
    const features = timeFeatures([0.001], CHANNELS); // an angle of 1 times the frequency
    const frequency = (i: number): number => Math.atan2(features[HALF + i]!, features[i]!);
    expect(frequency(0)).toBeCloseTo(1, 6);
    expect(frequency(1)).toBeCloseTo(0.93057204, 6);
    expect(frequency(127)).toBeCloseTo(1.0746e-4, 8);
  });

  it("is ones, then zeros at sigma 0", () => expect([...timeFeatures([0], 6)]).toEqual([1, 1, 1, 0, 0, 0]));

  it("does not round 1000 sigma, as bf16 would", () => {
    const sigma = 0.717497;
    const features = timeFeatures([sigma], CHANNELS);
    expectClose([features[0]!, features[HALF]!], [Math.cos(717.497), Math.sin(717.497)], { absolute: 1e-6 });
  });

  it("has the sigmas row by row", () => {
    const sigmas = [1, 0.967384, 0.908144, 0.7672, 0];
    expect([...timeFeatures(sigmas, 8)]).toEqual(sigmas.flatMap((sigma) => [...timeFeatures([sigma], 8)]));
  });

  it("is empty for no sigmas", () => expect(timeFeatures([], CHANNELS)).toHaveLength(0));
});
