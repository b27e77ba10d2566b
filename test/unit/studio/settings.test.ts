import { describe, expect, it } from "vitest";
import { requestOf, Settings } from "../../../demo/state/settings.ts";
import type { ModelConfig } from "../../../runtime/weights/model-config.ts";

const DISTILLED = { distilled: true } as ModelConfig;
const BASE = { distilled: false } as ModelConfig;

describe("the settings", () => {
  it("ask for what the fields say, and for the engine's own where they say nothing", () => {
    const settings = new Settings();
    settings.set({ prompt: "  a fox ", seed: "7" });
    expect(requestOf(settings.fields, DISTILLED)).toEqual({
      prompt: "a fox",
      width: undefined,
      height: undefined,
      steps: undefined,
      seed: undefined,
      scheduler: "Default",
      results: undefined,
    });
    settings.set({ seedLocked: true });
    expect(requestOf(settings.fields, DISTILLED).seed).toBe("7");
  });

  it("ask for guidance and a negative prompt where the model takes them", () => {
    const settings = new Settings();
    settings.set({ guidance: 3, negativePrompt: "blur" });
    expect(requestOf(settings.fields, BASE)).toMatchObject({ guidance: 3, negativePrompt: "blur" });
    expect(requestOf(settings.fields, DISTILLED)).not.toHaveProperty("guidance");
  });

  it("roll a seed of 32 bits and lock it", () => {
    const settings = new Settings();
    settings.rollSeed();
    expect(settings.fields.seedLocked).toBe(true);
    expect(Number(settings.fields.seed)).toBeLessThan(2 ** 32);
    expect(settings.fields.seed).toMatch(/^\d+$/);
  });

  it("take over how a picture was made, backend and precision excepted", () => {
    const settings = new Settings();
    settings.set({ backend: "wgsl", guidance: 5, results: 3 });
    settings.restore({
      software: "kleinbild",
      model: "klein-nano",
      prompt: "a car",
      seed: "18446744073709551615",
      noise: "counter",
      steps: 6,
      scheduler: "Heun",
      width: 192,
      height: 128,
    });
    expect(settings.fields).toMatchObject({
      prompt: "a car",
      negativePrompt: "",
      width: 192,
      height: 128,
      steps: 6,
      seed: "18446744073709551615",
      seedLocked: true,
      scheduler: "Heun",
      guidance: undefined,
      results: undefined,
      backend: "wgsl",
    });
  });
});
