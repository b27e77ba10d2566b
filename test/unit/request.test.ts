import { describe, expect, it } from "vitest";
import { KleinbildError } from "../../runtime/errors.ts";
import type { GenerateRequest } from "../../runtime/request/request.ts";
import { resolveRequest } from "../../runtime/request/resolve-request.ts";
import { SCHEDULERS } from "../../runtime/sampling/scheduler.ts";
import type { ModelConfig } from "../../runtime/weights/config/model-config.ts";
import { SMALL_CONFIG as BASE } from "../support/model-config.ts";

const DISTILLED: ModelConfig = { ...BASE, name: "fast", distilled: true, defaultSteps: 4, defaultGuidance: null };
const ISOLATED: ModelConfig = { ...BASE, name: "kv", referenceAttention: "isolated" };
const PICTURE = { width: 64, height: 64, data: new Uint8ClampedArray(64 * 64 * 4) };

/** A request as JavaScript may give it. */
const resolve = (fields: Readonly<Record<string, unknown>>, config = BASE) =>
  resolveRequest({ prompt: "a cat", ...fields }, config);

/** @param message  the whole message, or a matcher of it */
function expectRefusal(fields: unknown, message: unknown, details: object, config = BASE): void {
  const all = typeof fields === "object" && fields !== null ? { prompt: "a cat", ...fields } : fields;
  let refusal: unknown;
  try {
    resolveRequest(all as GenerateRequest, config);
  } catch (error) {
    refusal = error;
  }
  expect(refusal).toBeInstanceOf(KleinbildError);
  const { code, message: said, details: found } = refusal as KleinbildError;
  expect({ code, message: said, details: found }).toEqual({ code: "invalid-request", message, details });
}

describe("resolveRequest", () => {
  it("fills in the model's defaults", () => {
    const { seed, ...rest } = resolve({});
    expect(rest).toEqual({
      prompt: "a cat",
      negativePrompt: "",
      size: undefined,
      steps: 28,
      scheduler: "Default",
      results: 1,
      noise: "counter",
      guidance: 4,
      references: [],
      referenceMode: "recompute",
      loras: [],
      acceleration: undefined,
      stepCache: undefined,
      previews: true,
      warnings: [],
    });
    expect(seed).toBeGreaterThanOrEqual(0n);
    expect(seed).toBeLessThan(2n ** 32n);
    expect(resolve({}, DISTILLED)).toMatchObject({ steps: 4, guidance: null, warnings: [] });
    expect(resolve({}, ISOLATED)).toMatchObject({ referenceMode: "exact" });
  });

  it("treats undefined fields as absent", () => {
    const fields = ["width", "height", "steps", "noise", "guidance", "negativePrompt", "references", "referenceMode"];
    const undefinedFields = Object.fromEntries([...fields, "previews", "seed"].map((field) => [field, undefined]));
    expect({ ...resolve(undefinedFields), seed: 0n }).toEqual({ ...resolve({}), seed: 0n });
    expect(resolve({ step: undefined }).steps).toBe(28);
  });

  it("keeps all that is given", () => {
    const given = {
      prompt: "ein Bär",
      negativePrompt: "rain",
      width: 64,
      height: 96,
      steps: 2,
      scheduler: "DPM++ 2M Karras",
      results: 20,
      seed: "12345678901234567",
      noise: "torch",
      guidance: 2.5,
      references: [PICTURE],
      referenceMode: "step-one",
      loras: [{ data: Uint8Array.of(1), name: "style", weight: -0.5, stages: "low" }],
      acceleration: { method: "first-block", threshold: 0.1, startStep: 1, endStep: 2, maxConsecutive: 1 },
      previews: false,
    };
    const { width, height, ...rest } = given;
    expect(resolve(given)).toEqual({
      ...rest,
      size: { width, height },
      seed: 12345678901234567n,
      stepCache: { method: { kind: "first-block", threshold: 0.1 }, startStep: 1, endStep: 2, maxConsecutive: 1 },
      warnings: [],
    });
  });

  for (const [request, shown] of [
    [undefined, "undefined"],
    [null, "null"],
    ["a cat", '"a cat"'],
    [1, "1"],
  ] as const)
    it(`refuses ${shown} instead of a request`, () =>
      expectRefusal(request, `A request must be an object; got ${shown}.`, {}));

  for (const field of ["step", "Width", "cfgScale", "signal", "prompts"])
    it(`refuses the field ${field}, which does not exist, and says which ones do`, () =>
      expectRefusal(
        { [field]: 4 },
        `A request has no field ${field}; there are prompt, width, height, steps, scheduler, results, seed, noise, guidance, distilled, negativePrompt, references, referenceMode, loras, acceleration, previews.`,
        { parameter: field },
      ));
});

describe("prompt and negativePrompt", () => {
  it("may be empty, and of any length", () => {
    for (const prompt of ["", " ", "x".repeat(100_000)]) expect(resolve({ prompt }).prompt).toBe(prompt);
    expect(resolve({ negativePrompt: "" }).warnings).toEqual([]);
  });

  for (const [value, shown] of [
    [undefined, "undefined"],
    [null, "null"],
    [7, "7"],
    [["a cat"], '["a cat"]'],
    [{}, "an object"],
  ] as const)
    it(`prompt must be a string, not ${shown}`, () =>
      expectRefusal({ prompt: value }, `prompt must be a string; got ${shown}.`, { parameter: "prompt" }));

  it("negativePrompt must be a string", () => {
    for (const value of [null, 7, ["rain"]])
      expectRefusal({ negativePrompt: value }, expect.stringMatching(/^negativePrompt must be a string; got /), {
        parameter: "negativePrompt",
      });
  });

  it("negativePrompt has a warning where it has no effect", () => {
    const warning = "negativePrompt has no effect: it counts only with guidance, which is off.";
    expect(resolve({ negativePrompt: "rain" }).warnings).toEqual([]);
    for (const guidance of [null, 1]) expect(resolve({ negativePrompt: "rain", guidance }).warnings).toEqual([warning]);
    expect(resolve({ negativePrompt: "rain" }, DISTILLED).warnings).toEqual([warning]);
  });
});

describe("width and height", () => {
  for (const value of [16, 32, 1024, 8192])
    it(`may be ${value}`, () => {
      expect(resolve({ width: value, height: 16 }).size).toEqual({ width: value, height: 16 });
      expect(resolve({ width: 16, height: value }).size).toEqual({ width: 16, height: value });
    });

  for (const [value, nearest] of [
    [0, 16],
    [-16, 16],
    [15, 16],
    [17, 16],
    [24, 32],
    [1000, 1008],
    [1023.9, 1024],
    [8191, 8192],
    [8193, 8192],
    [8208, 8192],
    [Infinity, 8192],
    [-Infinity, 16],
  ] as const)
    it(`may not be ${value}; ${nearest} is near`, () => {
      for (const parameter of ["width", "height"])
        expectRefusal(
          { width: 64, height: 64, [parameter]: value },
          `${parameter} must be a multiple of 16 between 16 and 8192; got ${value}.`,
          { parameter, min: 16, max: 8192, nearest },
        );
    });

  for (const [value, shown] of [
    [NaN, "NaN"],
    ["64", '"64"'],
    [64n, "64n"],
    [null, "null"],
    [true, "true"],
    [[64], "a list of 1"],
  ] as const)
    it(`may not be ${shown}`, () => {
      for (const parameter of ["width", "height"])
        expectRefusal(
          { width: 64, height: 64, [parameter]: value },
          `${parameter} must be a multiple of 16 between 16 and 8192; got ${shown}.`,
          { parameter, min: 16, max: 8192 },
        );
    });

  it("belong together", () => {
    const message = (missing: string) => `width and height belong together; ${missing} is missing.`;
    expectRefusal({ width: 64 }, message("height"), { parameter: "height" });
    expectRefusal({ height: 64, width: undefined }, message("width"), { parameter: "width" });
  });
});

describe("steps", () => {
  for (const steps of [1, 2, 1000]) it(`may be ${steps}`, () => expect(resolve({ steps }).steps).toBe(steps));

  for (const [steps, nearest] of [
    [0, 1],
    [-4, 1],
    [1001, 1000],
    [3.4, 3],
    [0.2, 1],
    [Infinity, 1000],
  ] as const)
    it(`may not be ${steps}; ${nearest} is near`, () =>
      expectRefusal({ steps }, `steps must be a whole number between 1 and 1000; got ${steps}.`, {
        parameter: "steps",
        min: 1,
        max: 1000,
        nearest,
      }));

  for (const [steps, shown] of [
    [NaN, "NaN"],
    ["4", '"4"'],
    [4n, "4n"],
    [null, "null"],
  ] as const)
    it(`may not be ${shown}`, () =>
      expectRefusal({ steps }, `steps must be a whole number between 1 and 1000; got ${shown}.`, {
        parameter: "steps",
        min: 1,
        max: 1000,
      }));
});

describe("guidance", () => {
  for (const guidance of [1.001, 4, 100])
    it(`may be ${guidance}`, () => expect(resolve({ guidance })).toMatchObject({ guidance, warnings: [] }));

  for (const guidance of [null, 1])
    it(`is off with ${guidance}`, () => expect(resolve({ guidance })).toMatchObject({ guidance: null, warnings: [] }));

  for (const [guidance, nearest] of [
    [0, 1],
    [0.999, 1],
    [-3, 1],
    [100.5, 100],
    [Infinity, 100],
  ] as const)
    it(`may not be ${guidance}; ${nearest} is near`, () =>
      expectRefusal({ guidance }, `guidance must be null or a number between 1 (off) and 100; got ${guidance}.`, {
        parameter: "guidance",
        min: 1,
        max: 100,
        nearest,
      }));

  for (const [guidance, shown] of [
    [NaN, "NaN"],
    ["4", '"4"'],
    [4n, "4n"],
    [false, "false"],
  ] as const)
    it(`may not be ${shown}`, () =>
      expectRefusal({ guidance }, `guidance must be null or a number between 1 (off) and 100; got ${shown}.`, {
        parameter: "guidance",
        min: 1,
        max: 100,
      }));

  it("is ignored by distilled models, with a warning when it was asked for", () => {
    const warning = "guidance 4 is ignored: fast is distilled and takes one pass a step.";
    expect(resolve({ guidance: 4 }, DISTILLED)).toMatchObject({ guidance: null, warnings: [warning] });
    for (const guidance of [1, null])
      expect(resolve({ guidance }, DISTILLED)).toMatchObject({ guidance: null, warnings: [] });
    const odd = { ...DISTILLED, defaultGuidance: 4 };
    expect(resolve({}, odd)).toMatchObject({ guidance: null, warnings: [] });
    expectRefusal(
      { guidance: 0 },
      expect.stringMatching(/^guidance must be/),
      { parameter: "guidance", min: 1, max: 100, nearest: 1 },
      DISTILLED,
    );
  });
});

describe("seed and noise", () => {
  for (const [seed, expected] of [
    [0, 0n],
    [2 ** 53, 2n ** 53n],
    ["9223372036854775807", 2n ** 63n - 1n],
    [7n, 7n],
  ] as const)
    it(`seed may be ${typeof seed} ${seed}`, () => expect(resolve({ seed }).seed).toBe(expected));

  for (const seed of [-1, 0.5, NaN, "", "0x10", "9223372036854775808", 2n ** 63n, null, true])
    it(`seed may not be ${typeof seed} ${seed}`, () =>
      expectRefusal({ seed }, expect.stringMatching(/^seed must be an integer between 0 and 9223372036854775807/), {
        parameter: "seed",
      }));

  for (const noise of ["counter", "torch"])
    it(`noise may be ${noise}`, () => expect(resolve({ noise }).noise).toBe(noise));

  for (const [noise, shown] of [
    ["Torch", '"Torch"'],
    ["", '""'],
    [null, "null"],
    [["torch"], '["torch"]'],
  ] as const)
    it(`noise may not be ${shown}`, () =>
      expectRefusal({ noise }, `noise must be one of counter, torch; got ${shown}.`, { parameter: "noise" }));
});

describe("references, referenceMode and previews", () => {
  for (const count of [0, 1, 4])
    it(`takes ${count} references`, () =>
      expect(resolve({ references: Array.from({ length: count }, () => PICTURE) }).references).toHaveLength(count));

  for (const [references, shown] of [
    [Array.from({ length: 5 }, () => PICTURE), "a list of 5"],
    [PICTURE, "an object"],
    [null, "null"],
    ["cat.png", '"cat.png"'],
  ] as const)
    it(`refuses ${shown} as references`, () =>
      expectRefusal({ references }, `references must be a list of at most 4 pictures; got ${shown}.`, {
        parameter: "references",
        max: 4,
      }));

  it("takes the modes that fit the weights", () => {
    for (const referenceMode of ["recompute", "step-one"])
      expect(resolve({ referenceMode }).referenceMode).toBe(referenceMode);
    for (const referenceMode of ["recompute", "exact"])
      expect(resolve({ referenceMode }, ISOLATED).referenceMode).toBe(referenceMode);
  });

  it("refuses the mode that does not", () => {
    const details = { parameter: "referenceMode" };
    const exact =
      "referenceMode exact needs weights trained for isolated references; small takes recompute or step-one.";
    const stepOne = "referenceMode step-one is for weights without isolated references; kv takes exact or recompute.";
    expectRefusal({ referenceMode: "exact" }, exact, details);
    expectRefusal({ referenceMode: "step-one" }, stepOne, details, ISOLATED);
  });

  for (const [referenceMode, shown] of [
    ["Exact", '"Exact"'],
    [null, "null"],
    [1, "1"],
  ] as const)
    it(`refuses the mode ${shown}`, () =>
      expectRefusal({ referenceMode }, `referenceMode must be one of exact, recompute, step-one; got ${shown}.`, {
        parameter: "referenceMode",
      }));

  it("takes true and false for previews, and nothing else", () => {
    for (const previews of [true, false]) expect(resolve({ previews }).previews).toBe(previews);
    for (const previews of [null, 0, "no"])
      expectRefusal({ previews }, expect.stringMatching(/^previews must be true or false; got /), {
        parameter: "previews",
      });
  });
});

describe("scheduler and results", () => {
  it("takes every name of the table, and refuses others", () => {
    for (const scheduler of Object.keys(SCHEDULERS)) expect(resolve({ scheduler }).scheduler).toBe(scheduler);
    expectRefusal(
      { scheduler: "euler" },
      expect.stringMatching(/^scheduler must be one of .*Euler a.*; got "euler"\.$/),
      {
        parameter: "scheduler",
      },
    );
  });

  for (const results of [1, 20]) it(`makes ${results}`, () => expect(resolve({ results }).results).toBe(results));

  for (const [results, nearest] of [
    [0, 1],
    [21, 20],
    [1.5, 2],
  ] as const)
    it(`does not make ${results}`, () =>
      expectRefusal({ results }, `results must be a whole number between 1 and 20; got ${results}.`, {
        parameter: "results",
        min: 1,
        max: 20,
        nearest,
      }));
});

describe("distilled", () => {
  it("overrides the model's default guidance", () => {
    expect(resolve({ guidance: 3, distilled: true })).toMatchObject({ guidance: null, warnings: [expect.any(String)] });
    expect(resolve({ guidance: 3, distilled: false }, DISTILLED)).toMatchObject({ guidance: 3, warnings: [] });
    expectRefusal({ distilled: "yes" }, 'distilled must be true or false; got "yes".', { parameter: "distilled" });
  });
});

describe("loras", () => {
  const data = new Uint8Array(4);

  it("have a name, weight 1 and both stages unless they say otherwise", () =>
    expect(resolve({ loras: [{ data }, { data: data.buffer, weight: 0 }] }).loras).toEqual([
      { data, name: "LoRA 1", weight: 1, stages: "both" },
      { data: data.buffer, name: "LoRA 2", weight: 0, stages: "both" },
    ]));

  for (const weight of [-4, 4])
    it(`may have weight ${weight}`, () => expect(resolve({ loras: [{ data, weight }] }).loras[0]!.weight).toBe(weight));

  for (const [weight, nearest] of [
    [-4.01, -4],
    [4.01, 4],
  ] as const)
    it(`may not have weight ${weight}`, () =>
      expectRefusal(
        { loras: [{ data, weight }] },
        `loras[0].weight must be a number between -4 and 4; got ${weight}.`,
        {
          parameter: "loras[0].weight",
          min: -4,
          max: 4,
          nearest,
        },
      ));

  it.each([
    [[{ data: "style.safetensors" }], "loras[0].data", /must be a Blob or the bytes/],
    [[{ data }, { data, stages: "middle" }], "loras[1].stages", /must be one of high, low, both; got "middle"/],
    [[{ data, name: 1 }], "loras[0].name", /must be a string; got 1/],
    [
      [{ data, strength: 1 }],
      "loras[0].strength",
      /loras\[0\] has no field strength; there are data, name, weight, stages/,
    ],
    [["style"], "loras[0]", /loras\[0\] must be an object; got "style"/],
    [{ data }, "loras", /loras must be a list of LoRAs; got an object/],
  ])("are refused as %j", (loras, parameter, message) =>
    expectRefusal({ loras }, expect.stringMatching(message), { parameter }),
  );
});

describe("acceleration", () => {
  it("is a preset, or nothing", () => {
    expect(resolve({ acceleration: "none" })).toMatchObject({ acceleration: undefined, stepCache: undefined });
    for (const acceleration of ["low", "medium", "high"])
      expect(resolve({ acceleration })).toMatchObject({
        acceleration,
        stepCache: { startStep: expect.any(Number), endStep: 28 },
      });
  });

  it("is a preset in a run of fewer steps than it leaves alone, too", () => {
    for (const steps of [1, 4]) {
      const { stepCache } = resolve({ acceleration: "low", steps });
      expect(stepCache).toMatchObject({ startStep: steps - 1, endStep: steps });
    }
  });

  it("has defaults in each method, and the model's coefficients in tea", () => {
    const coefficients = [1, 0];
    const model = { ...BASE, teaCacheCoefficients: coefficients };
    const stepCache = (acceleration: object): unknown => resolve({ acceleration }, model).stepCache;
    const common = { startStep: 0, endStep: 28, maxConsecutive: 3 };
    expect(stepCache({ method: "first-block" })).toEqual({
      method: { kind: "first-block", threshold: 0.25 },
      ...common,
    });
    expect(stepCache({ method: "tea" })).toEqual({ method: { kind: "tea", distance: 0.5, coefficients }, ...common });
    expect(stepCache({ method: "dual-block" })).toEqual({
      method: { kind: "dual-block", threshold: 0.25, skipInterval: 5, firstBlocks: 1, lastBlocks: 0 },
      ...common,
    });
  });

  it("needs coefficients for tea", () => {
    const run = (): unknown => resolve({ acceleration: { method: "tea" } });
    expect(run).toThrow(/has no TeaCache coefficients; fit them/);
  });

  it.each([
    ["fast", "acceleration", /must be one of none, low, medium, high/],
    [{ method: "magic" }, "acceleration.method", /must be one of first-block, tea, dual-block/],
    [{ method: "first-block", threshold: 1.01 }, "acceleration.threshold", /between 0 and 1/],
    [{ method: "first-block", threshold: -0.01 }, "acceleration.threshold", /between 0 and 1/],
    [{ method: "first-block", startStep: 28 }, "acceleration.startStep", /between 0 and 27/],
    [{ method: "first-block", startStep: 3, endStep: 3 }, "acceleration.endStep", /between 4 and 28/],
    [{ method: "first-block", endStep: 29 }, "acceleration.endStep", /between 1 and 28/],
    [{ method: "first-block", maxConsecutive: 0 }, "acceleration.maxConsecutive", /between 1 and/],
    [{ method: "first-block", skipInterval: 2 }, "acceleration.skipInterval", /first-block has no field skipInterval/],
    [{ method: "dual-block", skipInterval: 0 }, "acceleration.skipInterval", /between 1 and/],
    [{ method: "dual-block", firstBlocks: 0 }, "acceleration.firstBlocks", /between 1 and/],
    [{ method: "first-block", treshold: 1 }, "acceleration.treshold", /has no field treshold/],
  ])("is refused as %j", (acceleration, parameter, message) =>
    expectRefusal({ acceleration }, expect.stringMatching(message), expect.objectContaining({ parameter })),
  );
});
