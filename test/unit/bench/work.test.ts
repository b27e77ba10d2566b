import { describe, expect, it } from "vitest";
import {
  blockWork,
  decodeWork,
  modulationWork,
  referencesPassWork,
  savings,
  savingsBound,
  stepWork,
  textLayerWork,
} from "../../../bench/blocks/work.ts";
import type { TransformerConfig } from "../../../runtime/weights/config/model-config.ts";
import { KLEIN_4B, KLEIN_4B_SMALL_DECODER, KLEIN_9B } from "../../../bench/klein-configs.ts";

const TERA = 1e12;
/** Of 1024 x 1024 pixels. */
const TOKENS = 4096;
const TEXT = 512;

describe("counted work", () => {
  it("counts every multiply-add of a block that can be counted by hand", () => {
    // D = 2, M = 3: qkv and output 4 · 4, feed-forward 3 · 6; 5 rows against 7 keys
    const config = { hidden: 2, mlpHidden: 3 } as TransformerConfig;
    expect(blockWork(config, 5, 7)).toBe(2 * (5 * (16 + 18) + 2 * 5 * 7 * 2));
  });

  const plain = { text: TEXT, references: 0, cached: false };
  const side = { "512": TOKENS / 4, "1024": TOKENS };
  it.each([
    ["4B", KLEIN_4B, "512", 10.15],
    ["4B", KLEIN_4B, "1024", 34.8],
    ["9B", KLEIN_9B, "512", 22.7],
    ["9B", KLEIN_9B, "1024", 75.5],
  ] as const)("of a step of %s at %s × that many pixels is as published", (_, model, size, published) => {
    const work = stepWork(model.transformer, { ...plain, target: side[size] }) / TERA;
    expect(work / published).toBeCloseTo(1, 2);
  });

  it("of the references pass is as published, and a block less with the last one cut short", () => {
    const { transformer } = KLEIN_4B;
    const whole = referencesPassWork(transformer, TOKENS, "whole");
    expect(whole / TERA).toBeCloseTo(70.9 - 40.62, 1); // the published first step less a later one
    const left = whole - referencesPassWork(transformer, TOKENS, "keys and values");
    expect(left).toBe(blockWork(transformer, TOKENS, TOKENS) - 2 * TOKENS * 2 * 3072 ** 2);
  });

  it.each([
    [1, 1.89, 1.59, 1.89],
    [2, 2.78, 2.01, 2.78],
    [4, 4.56, 2.55, 4.56],
  ])("of %s cached references saves as much as published", (count, step, first, later) => {
    const tokens = { text: TEXT, target: TOKENS, references: count * TOKENS, steps: 4 };
    const bound = savingsBound(KLEIN_4B.transformer, tokens, "whole");
    expect(bound.step).toBeCloseTo(step, 2);
    expect(bound.firstRequest).toBeCloseTo(first, 2);
    expect(bound.laterRequest).toBeCloseTo(later, 2);
  });

  it("saves more where the last block of the references pass is cut short", () => {
    const tokens = { text: TEXT, target: TOKENS, references: TOKENS, steps: 4 };
    const [cut, whole] = [
      savingsBound(KLEIN_4B.transformer, tokens),
      savingsBound(KLEIN_4B.transformer, tokens, "whole"),
    ];
    expect(cut.step).toBe(whole.step);
    expect(cut.firstRequest).toBeGreaterThan(whole.firstRequest);
  });

  it("of modulation counts its matrices, for each sigma", () => {
    // the published 170.7 million weights, and a row of vectors for each sigma
    expect(modulationWork(KLEIN_4B.transformer, 1) / 2e6).toBeCloseTo(170.7, 0);
    expect(modulationWork(KLEIN_4B.transformer, 5)).toBe(5 * modulationWork(KLEIN_4B.transformer, 1));
  });

  it.each([
    ["4B", KLEIN_4B, 2.91],
    ["9B", KLEIN_9B, 5.45],
  ] as const)("of the text encoder of %s is as published", (_, model, published) => {
    expect((27 * textLayerWork(model.text, TEXT)) / TERA).toBeCloseTo(published, 2);
  });

  it.each([
    ["the autoencoder", KLEIN_4B, 512, 2.52],
    ["the autoencoder", KLEIN_4B, 1024, 10.47],
    ["the small decoder", KLEIN_4B_SMALL_DECODER, 1024, 6.0],
  ] as const)("of decoding by %s is as published", (_, model, size, published) => {
    expect(decodeWork(model, size, size) / TERA / published).toBeCloseTo(1, 2);
  });
});

describe("savings", () => {
  it("count the references pass in the request that computes it only", () => {
    expect(savings({ computed: 30, cached: 10, pass: 20 }, 4)).toEqual({ step: 3, firstRequest: 2, laterRequest: 3 });
  });
});
