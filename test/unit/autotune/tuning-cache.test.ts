import { describe, expect, it } from "vitest";
import { tuningKey, type TuningSubject, TuningCache } from "../../../runtime/autotune/tuning-cache.ts";
import type { AdapterSummary } from "../../../runtime/gpu/adapter.ts";
import { storageOf } from "../../support/tuning.ts";

const CANDIDATES = ["64x64", "128x64", "ort"] as const;
const TUNED = {
  implementation: "128x64",
  candidates: [
    { name: "64x64", milliseconds: 3.5 },
    { name: "128x64", milliseconds: 2 },
    { name: "ort", refused: "computed NaN instead of 1" },
  ],
} as const;

describe("cached tuning results", () => {
  it("come back as they were", async () => {
    const cache = new TuningCache(storageOf());
    await cache.set("key", TUNED);
    expect(await cache.get("key", CANDIDATES)).toEqual(TUNED);
    expect(await cache.get("other key", CANDIDATES)).toBeUndefined();
  });

  it.each([
    ["no JSON", "{"],
    ["no object", "7"],
    ["without its reasons", `{"implementation":"64x64"}`],
    ["of an unknown implementation", `{"implementation":"cuda","candidates":[]}`],
    ["of an implementation that is no candidate here", `{"implementation":"direct","candidates":[]}`],
  ])("are not there when the stored text is %s", async (_what, text) => {
    const cache = new TuningCache(storageOf(new Map([["key", text]])));
    expect(await cache.get("key", CANDIDATES)).toBeUndefined();
  });

  it("are not there without a store, and with one that fails; neither is an error", async () => {
    const failing = { get: () => Promise.reject(new Error("denied")), set: () => Promise.reject(new Error("full")) };
    for (const store of [undefined, failing]) {
      const cache = new TuningCache(store);
      await cache.set("key", TUNED);
      expect(await cache.get("key", CANDIDATES)).toBeUndefined();
    }
  });
});

describe("the key of a tuning result", () => {
  const adapter: AdapterSummary = {
    vendor: "acme",
    architecture: "one",
    device: "0x1",
    description: "Acme One",
    software: false,
    f16: true,
    subgroups: true,
    timestamps: true,
    maxBindingBytes: 2 ** 27,
    maxBufferBytes: 2 ** 28,
  };
  const limits = { maxComputeWorkgroupStorageSize: 32_768, maxComputeInvocationsPerWorkgroup: 256 };
  const subject: TuningSubject = {
    operator: "q4",
    scalar: "f16",
    candidates: CANDIDATES,
    shape: { columns: 3072 },
    ortWasmUrl: undefined,
  };
  const keyOf = (
    changedAdapter: Partial<AdapterSummary> = {},
    changedLimits: Partial<typeof limits> = {},
    changedSubject: Partial<TuningSubject> = {},
  ): string => {
    const device = { limits: { ...limits, ...changedLimits } } as GPUDevice;
    return tuningKey({ adapter: { ...adapter, ...changedAdapter }, device }, { ...subject, ...changedSubject });
  };

  it("is the same for the same", () => expect(keyOf()).toBe(keyOf()));

  it.each([
    ["another chip", keyOf({ device: "0x2" })],
    ["another driver's name of it", keyOf({ description: "Acme One (new)" })],
    ["an adapter used without subgroups", keyOf({ subgroups: false })],
    ["a lower limit of bindings", keyOf({ maxBindingBytes: 2 ** 20 })],
    ["less workgroup memory", keyOf({}, { maxComputeWorkgroupStorageSize: 16_384 })],
    ["another format", keyOf({}, {}, { operator: "q8" })],
    ["another scalar type", keyOf({}, {}, { scalar: "f32" })],
    ["other candidates", keyOf({}, {}, { candidates: ["64x64", "128x64"] })],
    ["another place of onnxruntime's wasm", keyOf({}, {}, { ortWasmUrl: "https://example.org/ort.wasm" })],
    ["a wider model", keyOf({}, {}, { shape: { columns: 4096 } })],
  ])("is another for %s", (_what, key) => expect(key).not.toBe(keyOf()));
});
