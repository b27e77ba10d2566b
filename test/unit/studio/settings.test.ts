import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { requestOf, Settings } from "../../../demo/state/settings.ts";
import type { ImageMetadata } from "../../../runtime/index.ts";
import type { ModelConfig } from "../../../runtime/weights/config/model-config.ts";

const DISTILLED = { distilled: true } as ModelConfig;
const BASE = { distilled: false } as ModelConfig;
const MADE: ImageMetadata = {
  software: "kleinbild",
  model: "klein-nano",
  prompt: "a car",
  seed: "18446744073709551615",
  noise: "counter",
  steps: 6,
  scheduler: "Heun",
  width: 192,
  height: 128,
};

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

  it("take the model's own scheduler for one that they do not know", () => {
    const settings = new Settings();
    settings.set({ scheduler: "Heun" });
    settings.restore({ ...MADE, scheduler: "of tomorrow" });
    expect(settings.fields.scheduler).toBe("Default");
  });

  it("take over how a picture was made, backend and precision excepted", () => {
    const settings = new Settings();
    settings.set({ backend: "wgsl", guidance: 5, results: 3 });
    settings.restore(MADE);
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

describe("the settings of an earlier visit", () => {
  const kept = new Map<string, string>();
  const keep = (fields: object): void => void kept.set("kleinbild-studio", JSON.stringify(fields));

  beforeEach(() => {
    kept.clear();
    vi.stubGlobal("localStorage", {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
    });
  });
  afterEach(() => void vi.unstubAllGlobals());

  it("come back, but for the live picture", () => {
    new Settings().set({ prompt: "a car", steps: 6, dtype: "f32", scheduler: "Heun", live: true });
    expect(new Settings().fields).toMatchObject({
      prompt: "a car",
      steps: 6,
      dtype: "f32",
      scheduler: "Heun",
      live: false,
    });
  });

  it("leave a field empty in which no number stood", () => {
    new Settings().set({ width: Number.NaN, height: 64 });
    expect(new Settings().fields).toMatchObject({ width: undefined, height: 64 });
  });

  it("are left out where this version knows no such field, type or scheduler", () => {
    keep({ prompt: 5, steps: "6", scheduler: "of tomorrow", toString: "x", seed: "7" });
    expect(new Settings().fields).toMatchObject({
      prompt: expect.any(String),
      steps: undefined,
      seed: "7",
      scheduler: "Default",
    });
    expect(Object.hasOwn(new Settings().fields, "toString")).toBe(false);
  });

  it("are the defaults where they cannot be read", () => {
    vi.stubGlobal("localStorage", {
      getItem: () => {
        throw new DOMException("not allowed", "SecurityError");
      },
    });
    const settings = new Settings();
    settings.set({ prompt: "a bus" });
    expect(settings.fields).toMatchObject({ prompt: "a bus", results: undefined });
  });
});
