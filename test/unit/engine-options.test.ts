import { describe, expect, it } from "vitest";
import { checkEngineOptions, type EngineOptions } from "../../runtime/engine/engine-options.ts";

const refusal = (parameter: string, message: RegExp): object =>
  expect.objectContaining({ code: "invalid-request", details: { parameter }, message: expect.stringMatching(message) });

describe("engine options", () => {
  it.each<EngineOptions>([
    {},
    { dtype: undefined },
    {
      dtype: "f32",
      quantization: "q4",
      referenceCacheBytes: 0,
      memoryBudgetBytes: 4e9,
      powerPreference: "low-power",
      maxBindingBytes: 2 ** 20,
      backend: "wgsl",
      withoutFeatures: ["subgroups", "shader-f16"],
      maxWorkgroupBytes: 2 ** 14,
      maxInvocations: 256,
      warmUp: false,
    },
  ])("take %j", (options) => expect(checkEngineOptions(options)).toBeUndefined());

  it.each([
    ["dtype", "fp16", /dtype must be one of f32, f16; got "fp16"/],
    ["quantization", null, /one of none, q8, q4; got null/],
    ["powerPreference", "high", /one of low-power, high-performance/],
    ["referenceCacheBytes", -1, /a whole number; got -1/],
    ["referenceCacheBytes", 1.5, /got 1\.5/],
    ["referenceCacheBytes", "1", /a whole number/],
    ["memoryBudgetBytes", -1, /memoryBudgetBytes must be a whole number; got -1/],
    ["maxBindingBytes", Number.NaN, /a whole number/],
    ["backend", "cuda", /backend must be one of auto, ort, wgsl; got "cuda"/],
    ["withoutFeatures", ["f16"], /must be a list of shader-f16, subgroups, timestamp-query; got \["f16"\]/],
    ["withoutFeatures", "subgroups", /must be a list/],
    ["maxInvocations", 1.5, /maxInvocations must be a whole number/],
    ["warmUp", 1, /warmUp must be true or false; got 1/],
    ["dType", "f32", /no option dType; there are dtype, quantization/],
    ["toString", "f32", /no option toString/],
  ] as const)("refuse %s %s", (parameter, value, message) =>
    expect(() => checkEngineOptions({ [parameter]: value })).toThrow(refusal(parameter, message)),
  );
});
