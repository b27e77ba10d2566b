import { describe, expect, it } from "vitest";
import {
  parseGetResponse,
  parseImageInference,
  parseImageUpload,
  RULES_OF_ANY_MODEL,
} from "../../../runtime/task/schema/schema.ts";
import { EXAMPLES } from "./examples.ts";
import { BASE, errorsOf, KV, parse, TASK, thrown } from "./tasks.ts";

const UUID = TASK.taskUUID;

describe("parseImageInference", () => {
  it("fills in the defaults of Base models", () =>
    expect(parse({})).toEqual({
      ...TASK,
      outputType: "URL",
      outputFormat: "JPG",
      outputQuality: 95,
      webhookURL: undefined,
      deliveryMethod: "sync",
      uploadEndpoint: undefined,
      ttl: undefined,
      includeCost: false,
      referenceImages: [],
      numberResults: 1,
      negativePrompt: undefined,
      seed: undefined,
      steps: 28,
      scheduler: undefined,
      CFGScale: 3.5,
      trueCFGScale: undefined,
      guidance: 3.5,
      acceleration: undefined,
      acceleratorOptions: undefined,
      lora: [],
      warnings: [],
    }));

  it("fills in the defaults of distilled models, which are not guided", () =>
    expect(parse({}, KV)).toMatchObject({ steps: 4, CFGScale: 3.5, guidance: null, warnings: [] }));

  it("keeps all that is given", () => {
    const given = {
      outputType: "dataURI",
      outputFormat: "WEBP",
      outputQuality: 80,
      webhookURL: "https://a.example/hook",
      deliveryMethod: "async",
      uploadEndpoint: "https://b.example/put?sig=1",
      includeCost: true,
      numberResults: 4,
      negativePrompt: "rain",
      seed: 7,
      steps: 30,
      scheduler: "DPM++ 2M Karras",
      CFGScale: 4.25,
      acceleration: "low",
      lora: [{ model: "mine", weight: -0.5, transformer: "high" }, { model: "other" }],
    };
    const lora = [given.lora[0], { model: "other", weight: 1, transformer: "both" }];
    expect(parse({ ...given, inputs: { referenceImages: ["a", "b"] } })).toMatchObject({
      ...given,
      seed: 7n,
      lora,
      referenceImages: ["a", "b"],
      guidance: 4.25,
    });
  });

  it("takes safety, features and inputs that ask for nothing", () => {
    const { warnings, ...task } = parse({
      safety: { checkContent: false, mode: "none" },
      advancedFeatures: {},
      inputs: {},
    });
    expect({ ...task, warnings }).toEqual(parse({ safety: {}, settings: {} }));
    expect(warnings).toEqual([]);
  });

  it("reports every problem of a task with the task, unknown fields first", () => {
    const task = { ...TASK, height: undefined, width: 1000, seed: -1, colour: "red", lora: [{ weight: 5 }] };
    const errors = thrown(() => parseImageInference(task, BASE));
    expect(errors.map(({ code, parameter }) => [code, parameter])).toEqual([
      ["unsupportedParameter", "colour"],
      ["invalidWidth", "width"],
      ["missingHeight", "height"],
      ["invalidSeed", "seed"],
      ["missingModel", "lora[0].model"],
      ["invalidWeight", "lora[0].weight"],
    ]);
    for (const error of errors) expect(error).toMatchObject({ taskType: "imageInference", taskUUID: UUID });
  });

  it("says what would be right", () => {
    const said = (fields: object): string[] => errorsOf({ ...fields }).map(({ message }) => message);
    expect(said({ width: 1000 })).toEqual([
      "width must be a multiple of 16 between 128 and 2048; got 1000. The nearest is 1008.",
    ]);
    expect(said({ CFGScale: 25 })).toEqual([
      "CFGScale must be a number between 1 and 20, in steps of 0.01; got 25. The nearest is 20.",
    ]);
    expect(said({ ttl: 1 })).toEqual(["ttl must be a whole number of at least 60; got 1. The nearest is 60."]);
    expect(said({ positivePrompt: "" })).toEqual([
      "positivePrompt must be a string of 1 to 10000 characters; got 0 characters.",
    ]);
    expect(said({ outputFormat: "JPEG" })).toEqual([
      'outputFormat must be one of JPG, PNG, WEBP; got "JPEG". Did you mean "JPG"?',
    ]);
    expect(said({ scheduler: "Eular a" })).toEqual([
      'scheduler must be one of 75 names, such as DDIM, DDIMScheduler, DDPMScheduler; got "Eular a". Did you mean "Euler a"?',
    ]);
    expect(said({ height: undefined })).toEqual([
      "height is missing: it must be a multiple of 16 between 128 and 2048.",
    ]);
    expect(said({ inputs: { referenceImages: [] } })).toEqual([
      "inputs.referenceImages must be a list of 1 to 4 strings; got a list of 0.",
    ]);
  });

  it("has a code of its own for the wrong number of references, and for another kind of task", () => {
    expect(errorsOf({ inputs: { referenceImages: [] } })).toMatchObject([{ code: "invalidReferenceImagesCount" }]);
    expect(errorsOf({ inputs: { referenceImages: [1] } })).toMatchObject([{ code: "invalidReferenceImages" }]);
    expect(errorsOf({ taskType: "videoInference" })).toMatchObject([{ code: "unsupportedTaskType" }]);
  });

  it("takes decimals that arithmetic left beside a step", () => {
    for (const CFGScale of [1.1 + 2.2, 0.1 * 29, 4.35, 19.99]) expect(parse({ CFGScale }).guidance).toBe(CFGScale);
    for (const CFGScale of [3.301, 3.3000001]) expect(errorsOf({ CFGScale })).toMatchObject([{ multiplier: 0.01 }]);
  });

  it("refuses values that are not objects", () => {
    for (const value of [undefined, null, 1, "task", [], [TASK], true, 7n, Symbol("x"), () => 1])
      expect(thrown(() => parseImageInference(value, BASE))).toMatchObject([{ code: "validationFailed" }]);
  });

  it("can check a task whose model is not known", () => {
    expect(parse({ negativePrompt: "x".repeat(10_000) }, RULES_OF_ANY_MODEL).steps).toBe(28);
    expect(errorsOf({ model: undefined }, RULES_OF_ANY_MODEL)).toMatchObject([{ code: "missingModel" }]);
  });
});

describe("the examples of the page of 9B Base", () => {
  for (const example of EXAMPLES)
    it(`takes ${example.taskUUID}`, () =>
      expect(parseImageInference(example, BASE)).toMatchObject({
        taskUUID: example.taskUUID,
        seed: BigInt(example.seed),
        steps: example.steps,
        CFGScale: 3.5,
        trueCFGScale: 4,
        guidance: 4,
        referenceImages: "inputs" in example ? example.inputs.referenceImages : [],
        warnings: [],
      }));
});

describe("seeds", () => {
  it("are exact as bigint and string", () => {
    for (const seed of [0n, 9007199254740993n, 9223372036854775807n]) {
      expect(parse({ seed }).seed).toBe(seed);
      expect(parse({ seed: seed.toString() }).seed).toBe(seed);
    }
    expect(parse({ seed: 4_294_967_295 }).seed).toBe(4_294_967_295n);
  });

  it("mean the largest one where they are written as the pages print it", () => {
    for (const seed of [9223372036854776000, "9223372036854776000", 9223372036854776000n])
      expect(parse({ seed }).seed).toBe(9223372036854775807n);
  });

  it("end at the largest one", () => {
    for (const seed of [
      9223372036854775808n,
      "9223372036854775808",
      "9999999999999999999",
      "10000000000000000000",
      -1n,
      "-1",
    ])
      expect(errorsOf({ seed })).toMatchObject([{ code: "invalidSeed", min: 0, max: 9223372036854776000 }]);
  });

  it("are whole decimal numbers", () => {
    for (const seed of ["", " 1", "1.0", "1e3", "0x10", 1.5, "٣"])
      expect(errorsOf({ seed })).toMatchObject([{ code: "invalidSeed" }]);
  });
});

describe("parseImageUpload", () => {
  const upload = { taskType: "imageUpload", taskUUID: UUID, image: "data:image/png;base64,AAAA" };
  it("accepts the request of the published client", () => expect(parseImageUpload(upload)).toEqual(upload));
  it("refuses anything else", () => {
    const wrong = { taskType: "imageUpload", taskUUID: "x", image: "", operation: "upload" };
    expect(thrown(() => parseImageUpload(wrong))).toMatchObject([
      { code: "unsupportedParameter", parameter: "operation" },
      { code: "invalidTaskUUID", parameter: "taskUUID" },
      { code: "invalidImage", parameter: "image", min: 1 },
    ]);
    expect(thrown(() => parseImageUpload({ ...upload, image: undefined }))).toMatchObject([{ code: "missingImage" }]);
  });
});

describe("parseGetResponse", () => {
  const ask = { taskType: "getResponse", taskUUID: UUID };
  it("accepts the request of the published client", () => expect(parseGetResponse(ask)).toEqual(ask));
  it("refuses anything else", () => {
    expect(thrown(() => parseGetResponse({ taskType: "getResponse" }))).toMatchObject([{ code: "missingTaskUUID" }]);
    expect(thrown(() => parseGetResponse({ ...ask, taskUUID: 5 }))).toMatchObject([{ code: "invalidTaskUUID" }]);
  });
});
