import { describe, expect, it } from "vitest";
import { errorsOf, parse, TASK } from "./tasks.ts";

/** The message about a field that does not exist, and about it alone. */
function said(fields: object): string {
  const errors = errorsOf({ ...fields });
  expect(errors).toHaveLength(1);
  expect(errors[0]!.code).toBe("unsupportedParameter");
  return errors[0]!.message;
}

describe("a field that does not exist", () => {
  it("is named with the nearest field of its place", () => {
    expect(said({ outputFromat: "PNG" })).toBe('There is no field "outputFromat". Did you mean outputFormat?');
    expect(said({ cfgscale: 3 })).toBe('There is no field "cfgscale". Did you mean CFGScale?');
    expect(said({ lora: [{ model: "x" }, { model: "y", wieght: 1 }] })).toBe(
      'There is no field "lora[1].wieght". Did you mean lora[1].weight?',
    );
    expect(said({ acceleratorOptions: { fbcache: true } })).toBe(
      'There is no field "acceleratorOptions.fbcache". Did you mean acceleratorOptions.fbCache?',
    );
  });

  it("is pointed to its place when it exists elsewhere", () => {
    expect(said({ referenceImages: ["x"] })).toContain("Did you mean inputs.referenceImages?");
    expect(said({ fbCache: true })).toContain("Did you mean acceleratorOptions.fbCache?");
    expect(said({ trueCFGScale: 4 })).toContain("Did you mean settings.trueCFGScale?");
    expect(said({ settings: { steps: 4 } })).toContain("Did you mean steps?");
  });

  it("is pointed to what older clients and other programs call it", () => {
    expect(said({ checkNSFW: false })).toContain("Did you mean safety.checkContent?");
    expect(said({ prompt: "a fox" })).toContain("Did you mean positivePrompt?");
    expect(said({ customTaskUUID: TASK.taskUUID })).toContain("Did you mean taskUUID?");
  });

  it("is answered with the fields that there are when nothing is near", () => {
    expect(said({ settings: { colour: 1 } })).toBe(
      'There is no field "settings.colour". In settings there are trueCFGScale.',
    );
    expect(said({ zzz: 1 })).toMatch(
      /^There is no field "zzz"\. There are taskType, taskUUID, .*, advancedFeatures\.$/,
    );
  });

  it("is refused with every name that objects inherit", () => {
    const inherited = JSON.parse('{ "__proto__": 1, "constructor": 2, "toString": 3, "hasOwnProperty": 4 }') as object;
    expect(errorsOf({}).length).toBe(0);
    const task = Object.assign(JSON.parse(JSON.stringify(TASK)) as object, { toString: 3, constructor: 2 });
    expect(errorsOf({ ...task }).map(({ parameter }) => parameter)).toEqual(["toString", "constructor"]);
    expect(errorsOf({ settings: inherited }).map(({ parameter }) => parameter)).toEqual([
      "settings.__proto__",
      "settings.constructor",
      "settings.toString",
      "settings.hasOwnProperty",
    ]);
  });

  it("is not given when it is undefined", () =>
    expect(parse({ colour: undefined, settings: { x: undefined } })).toEqual(parse({})));

  it("is named in part when it is long, and with the first others when there are many", () => {
    expect(errorsOf({ ["x".repeat(1000)]: 1 })[0]!.parameter).toBe(`${"x".repeat(64)}…`);
    const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`field${index}`, index]));
    expect(errorsOf(many)).toHaveLength(20);
  });
});

describe("a list in place of an object", () => {
  it("is one problem, whatever is missing in it", () => {
    for (const name of ["inputs", "settings", "safety", "acceleratorOptions", "ultralytics", "advancedFeatures"])
      expect(errorsOf({ [name]: [] })).toMatchObject([{ parameter: name, type: "object" }]);
    expect(errorsOf({ lora: [[]] })).toMatchObject([{ code: "invalidLora", parameter: "lora[0]", type: "object" }]);
  });
});
