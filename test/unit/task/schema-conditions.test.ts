import { describe, expect, it } from "vitest";
import { BASE, errorsOf, KV, parse } from "./tasks.ts";

const options = (acceleratorOptions: object, steps = 28) => ({ acceleratorOptions, steps });
const problems = (fields: object, rules = BASE) =>
  errorsOf({ ...fields }, rules).map(({ code, parameter, min, max }) => [code, parameter?.split(".").at(-1), min, max]);

describe("the window of a cache", () => {
  it("ends above its start and within the steps", () => {
    expect(problems(options({ cacheStartStep: 9, cacheEndStep: 10 }))).toEqual([]);
    expect(problems(options({ cacheStartStep: 10, cacheEndStep: 10 }))).toEqual([
      ["invalidCacheEndStep", "cacheEndStep", 11, 28],
    ]);
    expect(problems(options({ cacheEndStep: 28 }))).toEqual([]);
    expect(problems(options({ cacheEndStep: 29 }))).toEqual([["invalidCacheEndStep", "cacheEndStep", 1, 28]]);
    expect(problems(options({ cacheStartStep: 27 }))).toEqual([]);
    expect(problems(options({ cacheStartStep: 28 }))).toEqual([["invalidCacheStartStep", "cacheStartStep", 0, 27]]);
    expect(problems(options({ cacheStartStep: 28, cacheEndStep: 28 }))).toEqual([
      ["invalidCacheStartStep", "cacheStartStep", 0, 27],
    ]);
  });

  it("counts with the model's steps where the task has none", () => {
    expect(problems({ acceleratorOptions: { cacheEndStep: 28 } })).toEqual([]);
    expect(problems({ acceleratorOptions: { cacheEndStep: 4 } }, KV)).toEqual([]);
    expect(problems({ acceleratorOptions: { cacheEndStep: 5 } }, KV)).toEqual([
      ["invalidCacheEndStep", "cacheEndStep", 1, 4],
    ]);
  });

  it("ends above its start in percentages", () => {
    expect(problems(options({ cacheStartStepPercentage: 49, cacheEndStepPercentage: 50 }))).toEqual([]);
    for (const cacheEndStepPercentage of [50, 49])
      expect(problems(options({ cacheStartStepPercentage: 50, cacheEndStepPercentage }))).toEqual([
        ["invalidCacheEndStepPercentage", "cacheEndStepPercentage", 51, 100],
      ]);
  });

  it("may mix steps and percentages, not for one end", () => {
    expect(problems(options({ cacheStartStep: 13, cacheEndStepPercentage: 50 }))).toEqual([]);
    expect(problems(options({ cacheStartStep: 14, cacheEndStepPercentage: 50 }))).toEqual([
      ["invalidCacheStartStep", "cacheStartStep", 0, 13],
    ]);
    expect(problems(options({ cacheStartStepPercentage: 50, cacheEndStep: 15 }))).toEqual([]);
    expect(problems(options({ cacheStartStepPercentage: 50, cacheEndStep: 14 }))).toEqual([
      ["invalidCacheEndStep", "cacheEndStep", 15, 28],
    ]);
    const both = { cacheStartStep: 1, cacheStartStepPercentage: 10, cacheEndStep: 5, cacheEndStepPercentage: 90 };
    expect(problems(options(both))).toEqual([
      ["incompatibleParameters", "cacheStartStepPercentage", undefined, undefined],
      ["incompatibleParameters", "cacheEndStepPercentage", undefined, undefined],
    ]);
  });

  it("is given in steps, percentages rounded outwards", () => {
    const window = (fields: object, steps: number) => {
      const { cacheStartStep, cacheEndStep } = parse(options(fields, steps)).acceleratorOptions!;
      return [cacheStartStep, cacheEndStep];
    };
    expect(window({ cacheStartStepPercentage: 10, cacheEndStepPercentage: 90 }, 28)).toEqual([2, 26]); // 2.8 and 25.2
    expect(window({ cacheStartStepPercentage: 50, cacheEndStepPercentage: 58 }, 50)).toEqual([25, 29]);
    expect(window({ cacheStartStepPercentage: 99, cacheEndStepPercentage: 100 }, 1)).toEqual([0, 1]);
    expect(window({ cacheStartStep: 3, cacheEndStep: 20 }, 28)).toEqual([3, 20]);
    expect(window({}, 28)).toEqual([undefined, undefined]);
  });

  it("is not judged by steps or ends that are wrong themselves", () => {
    expect(problems(options({ cacheEndStep: 60 }, 99))).toEqual([["invalidSteps", "steps", 1, 50]]);
    expect(problems(options({ cacheStartStep: 5, cacheEndStep: 0 }))).toEqual([
      ["invalidCacheEndStep", "cacheEndStep", 1, undefined],
    ]);
  });
});

describe("caches", () => {
  it("exclude each other", () => {
    for (const cache of ["fbCache", "teaCache", "dbCache"]) expect(problems(options({ [cache]: true }))).toEqual([]);
    expect(problems(options({ fbCache: true, teaCache: false, dbCache: true }))).toEqual([
      ["incompatibleParameters", "dbCache", undefined, undefined],
    ]);
    const [error] = errorsOf(options({ fbCache: true, teaCache: true, dbCache: true }));
    for (const cache of ["fbCache", "teaCache", "dbCache"])
      expect(error?.message).toContain(`acceleratorOptions.${cache}`);
  });

  it("are refused on distilled models, each by name", () => {
    const errors = errorsOf({ acceleratorOptions: { fbCache: true, teaCache: true } }, KV);
    expect(errors.map(({ code, parameter }) => [code, parameter])).toEqual([
      ["unsupportedParameter", "acceleratorOptions.fbCache"],
      ["unsupportedParameter", "acceleratorOptions.teaCache"],
    ]);
    for (const { message } of errors) expect(message).toContain("runware:400@6 is distilled");
    expect(errorsOf({ acceleratorOptions: { fbCache: false } }, KV)).toEqual([]);
  });

  it("have the page's defaults once there are options", () =>
    expect(parse(options({ dbCache: true })).acceleratorOptions).toEqual({
      fbCache: false,
      fbCacheThreshold: 0.25,
      teaCache: false,
      teaCacheDistance: 0.5,
      dbCache: true,
      dbCacheThreshold: 0.25,
      dbCacheSkipInterval: 5,
      cacheMaxConsecutiveSteps: 3,
      cacheStartStep: undefined,
      cacheEndStep: undefined,
    }));
});

describe("what is not built", () => {
  for (const [path, fields] of [
    ["safety.checkContent", { safety: { checkContent: true } }],
    ["safety.mode", { safety: { mode: "fast" } }],
    ["ultralytics", { ultralytics: {} }],
    ["ultralytics", { ultralytics: { inpaintSize: 512, steps: 100 } }],
    ["advancedFeatures.ultralytics", { advancedFeatures: { ultralytics: { steps: 100 } } }],
  ] as const)
    it(`is refused by name: ${JSON.stringify(fields)}`, () =>
      expect(errorsOf(fields)).toEqual([
        { code: "unsupportedParameter", message: `${path} is not available here; leave it out.`, parameter: path },
      ]));

  it("is checked whole before it is refused", () => {
    expect(problems({ ultralytics: { steps: 101, colour: 1 } })).toEqual([
      ["unsupportedParameter", "colour", undefined, undefined],
      ["invalidSteps", "steps", 1, 100],
    ]);
    expect(problems({ advancedFeatures: { ultralytics: { inpaintSize: 512 } } })).toEqual([
      ["unsupportedParameter", "inpaintSize", undefined, undefined],
    ]);
    expect(problems({ safety: { checkContent: 1, mode: "slow" } })).toEqual([
      ["invalidCheckContent", "checkContent", undefined, undefined],
      ["invalidMode", "mode", undefined, undefined],
    ]);
  });
});

describe("guidance", () => {
  it("is trueCFGScale, else CFGScale, and off at 1", () => {
    expect(parse({ CFGScale: 5, settings: { trueCFGScale: 2 } }).guidance).toBe(2);
    expect(parse({ CFGScale: 1.01 }).guidance).toBe(1.01);
    expect(parse({ CFGScale: 1 }).guidance).toBeNull();
    expect(parse({ CFGScale: 5, settings: { trueCFGScale: 1 } }).guidance).toBeNull();
    expect(parse({ CFGScale: 5, settings: { trueCFGScale: 2 } }, KV).guidance).toBeNull();
  });
});

describe("warnings", () => {
  const warnings = (fields: object, rules = BASE) => parse({ ...fields }, rules).warnings;

  it("name given fields that have no effect on distilled models", () => {
    expect(warnings({}, KV)).toEqual([]);
    expect(warnings({ acceleration: "none" }, KV)).toEqual([]);
    expect(
      warnings({ CFGScale: 3.5, settings: { trueCFGScale: 4 }, acceleration: "high", negativePrompt: "rain" }, KV),
    ).toEqual([
      "CFGScale 3.5 has no effect: runware:400@6 is distilled and takes no guidance.",
      "settings.trueCFGScale 4 has no effect: runware:400@6 is distilled and takes no guidance.",
      "negativePrompt has no effect: it counts only with guidance, which is off.",
      "acceleration high has no effect: runware:400@6 is distilled and has no steps to spare.",
    ]);
  });

  it("name fields that have no effect on Base models", () => {
    expect(warnings({ CFGScale: 7, acceleration: "high", negativePrompt: "rain" })).toEqual([]);
    expect(warnings({ CFGScale: 1, negativePrompt: "rain" })).toHaveLength(1);
    expect(warnings({ acceleratorOptions: { fbCacheThreshold: 0.1 } })).toHaveLength(1);
    expect(warnings({ acceleratorOptions: { cacheEndStep: 9 }, acceleration: "low" })).toEqual([]);
    expect(warnings({ acceleratorOptions: { fbCache: true } })).toEqual([]);
  });

  it("name a ttl without an address", () => {
    expect(warnings({ ttl: 60 })).toEqual([]);
    expect(warnings({ ttl: 60, outputType: "base64Data" })).toHaveLength(1);
  });
});
