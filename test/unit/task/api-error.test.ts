import { describe, expect, it } from "vitest";
import { KleinbildError, type KleinbildErrorCode } from "../../../runtime/errors.ts";
import { fieldCode, readTaskScope, TaskError, toApiErrors } from "../../../runtime/task/schema/api-error.ts";

const TASK = { taskType: "imageInference", taskUUID: "5f0c1d7e-8a4b-4c39-9d21-0e6f3b7a8c55" };

/** By the table of docs/task.md. */
const ENGINE_CODES: Readonly<Record<KleinbildErrorCode, string>> = {
  "invalid-request": "validationFailed",
  "invalid-image": "invalidImage",
  "invalid-model": "invalidModel",
  "missing-file": "modelUnavailable",
  network: "downloadFailed",
  damaged: "downloadFailed",
  "storage-full": "downloadFailed",
  "no-webgpu": "noAvailableServer",
  unsupported: "inferenceError",
  "out-of-memory": "inferenceError",
  "over-budget": "inferenceError",
  "device-lost": "inferenceError",
  "not-finite": "inferenceError",
  disposed: "serviceUnavailable",
  "worker-died": "serviceUnavailable",
  "gpu-validation": "internalServerError",
  "invalid-shape": "internalServerError",
  internal: "internalServerError",
};

describe("toApiErrors", () => {
  for (const [code, name] of Object.entries(ENGINE_CODES) as [KleinbildErrorCode, string][])
    it(`calls the engine's ${code} ${name}`, () =>
      expect(toApiErrors(new KleinbildError(code, "What happened."), TASK)).toEqual([
        { code: name, message: "What happened.", ...TASK, engineCode: code },
      ]));

  it("names the engine's fields as tasks do", () => {
    const named = (code: KleinbildErrorCode, details: object) =>
      toApiErrors(new KleinbildError(code, "No.", { ...details }), {})[0];
    expect(named("invalid-request", { parameter: "width", min: 128, max: 2048 })).toEqual({
      code: "invalidWidth",
      message: "No.",
      parameter: "width",
      min: 128,
      max: 2048,
      engineCode: "invalid-request",
    });
    expect(named("invalid-image", { parameter: "references", index: 2 })).toMatchObject({
      code: "invalidReferenceImages",
      parameter: "inputs.referenceImages[2]",
    });
    expect(named("invalid-request", { parameter: "prompt" })).toMatchObject({ code: "invalidPositivePrompt" });
    expect(named("invalid-request", { parameter: "guidance" })).toMatchObject({ code: "invalidCFGScale" });
    expect(named("unsupported", { parameter: "steps" })).toMatchObject({
      code: "unsupportedParameter",
      parameter: "steps",
    });
    expect(named("invalid-request", { parameter: "toString" })).toMatchObject({ code: "invalidToString" });
  });

  it("gives every problem of a TaskError, with its own task where it names one", () => {
    const error = new TaskError([
      { code: "invalidWidth", message: "One.", parameter: "width", min: 128 },
      { code: "taskNotFound", message: "Two.", taskUUID: "other" },
    ]);
    expect(toApiErrors(error, TASK)).toEqual([
      { code: "invalidWidth", message: "One.", parameter: "width", min: 128, ...TASK },
      { code: "taskNotFound", message: "Two.", taskType: TASK.taskType, taskUUID: "other" },
    ]);
    expect(error.message).toBe("One. Two.");
    expect(error).toBeInstanceOf(Error);
  });

  it("calls a stop aborted and a time limit timeout", () => {
    expect(toApiErrors(AbortSignal.abort().reason, TASK)).toMatchObject([{ code: "aborted", ...TASK }]);
    const late = new DOMException("The task took more than 60 s.", "TimeoutError");
    expect(toApiErrors(late, TASK)).toMatchObject([{ code: "timeout", message: late.message }]);
  });

  it("knows an abort by its signal, whatever the reason is", () => {
    for (const reason of ["the user left", new Error("the user left")]) {
      expect(toApiErrors(reason, {}, AbortSignal.abort(reason))).toEqual([
        { code: "aborted", message: "the user left" },
      ]);
      expect(toApiErrors(reason, {}, AbortSignal.abort("something else"))).toMatchObject([
        { code: "internalServerError" },
      ]);
      expect(toApiErrors(reason, {})).toMatchObject([{ code: "internalServerError" }]);
    }
  });

  it("keeps the message of anything else", () => {
    expect(toApiErrors(new TypeError("x is not a function"), {})).toEqual([
      { code: "internalServerError", message: "x is not a function" },
    ]);
    expect(toApiErrors("just a text", {})).toEqual([{ code: "internalServerError", message: "just a text" }]);
    expect(toApiErrors(new Error(), {})).toMatchObject([{ message: "Error" }]);
    for (const value of [undefined, null, 7, 7n, {}, [], Symbol("x"), () => 1])
      expect(toApiErrors(value, {})[0]?.message).toMatch(/^A value that is no error was thrown: /);
  });
});

describe("readTaskScope", () => {
  it("reads whose task it is, right or wrong, and nothing from what is no task", () => {
    expect(readTaskScope({ ...TASK, width: 5 })).toEqual(TASK);
    expect(readTaskScope({ taskType: "x", taskUUID: "" })).toEqual({ taskType: "x", taskUUID: "" });
    expect(readTaskScope({ taskType: 1, taskUUID: "x".repeat(256) })).toEqual({ taskUUID: "x".repeat(256) });
    for (const value of [{ taskUUID: "x".repeat(257) }, null, undefined, "x", 1, [], {}])
      expect(readTaskScope(value)).toEqual({});
  });
});

describe("fieldCode", () => {
  it("is the last name of the path in the hosted API's form", () => {
    expect(fieldCode("invalid", "width")).toBe("invalidWidth");
    expect(fieldCode("missing", "taskUUID")).toBe("missingTaskUUID");
    expect(fieldCode("invalid", "inputs.referenceImages[2]")).toBe("invalidReferenceImages");
    expect(fieldCode("invalid", "lora[0].weight")).toBe("invalidWeight");
  });
});
