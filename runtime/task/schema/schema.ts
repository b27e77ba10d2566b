import * as v from "valibot";
import { type ApiError, readTaskScope, TaskError } from "./api-error.ts";
import { conditionErrors } from "./conditions.ts";
import { text, uuid } from "../../validation/field-kinds.ts";
import { type ImageInferenceOutput, imageInferenceSchema } from "./image-inference-schema.ts";
import type { ResolvedImageInferenceTask } from "./image-inference-task.ts";
import { issuesToErrors } from "./issue-to-error.ts";
import type { ModelRules } from "./model-rules.ts";
import { resolveTask } from "./resolve-task.ts";
import { shapeErrors } from "./shape.ts";

export type { ResolvedImageInferenceTask } from "./image-inference-task.ts";
export { type ModelRules, RULES_OF_ANY_MODEL } from "./model-rules.ts";

/** Stores a picture, so that later tasks can name it by its UUID. */
export interface ImageUploadTask {
  readonly taskType: "imageUpload";
  readonly taskUUID: string;
  /** A URL, a data URI or base64. */
  readonly image: string;
}
export type ResolvedImageUploadTask = ImageUploadTask;

/** Asks for what there is of an asynchronous task. */
export interface GetResponseTask {
  readonly taskType: "getResponse";
  /** Of the task that is asked for. */
  readonly taskUUID: string;
}
export type ResolvedGetResponseTask = GetResponseTask;

/** `imageUpload`, by the published client's source. */
const imageUploadSchema = v.strictObject({
  taskType: v.literal("imageUpload"),
  taskUUID: uuid({ description: "Names the task in every answer." }),
  image: text({ min: 1, description: "URL, data URI or base64." }),
});

/** `getResponse`, by the published client's source. */
const getResponseSchema = v.strictObject({
  taskType: v.literal("getResponse"),
  taskUUID: uuid({ description: "Of the task that is asked for." }),
});

/** More problems than this are not told. */
const MAX_ERRORS = 50;

/**
 * Checks a task against the API and its model, and fills in the defaults.
 *
 * @throws TaskError with every problem: fields that do not exist first, then those of single fields, then what fields are
 *         among each other
 */
export function parseImageInference(value: unknown, rules: ModelRules): ResolvedImageInferenceTask {
  const { output, errors } = check<ImageInferenceOutput>(imageInferenceSchema(rules), value);
  throwIfAny([...errors, ...conditionErrors(output, rules, errors)], value);
  const { CFGScale } = value as { readonly CFGScale?: unknown };
  return resolveTask(output as ImageInferenceOutput, rules, CFGScale !== undefined);
}

/** @throws TaskError with every problem */
export function parseImageUpload(value: unknown): ResolvedImageUploadTask {
  const { output, errors } = check<ResolvedImageUploadTask>(imageUploadSchema, value);
  throwIfAny(errors, value);
  return output as ResolvedImageUploadTask;
}

/** @throws TaskError with every problem */
export function parseGetResponse(value: unknown): ResolvedGetResponseTask {
  const { output, errors } = check<ResolvedGetResponseTask>(getResponseSchema, value);
  throwIfAny(errors, value);
  return output as ResolvedGetResponseTask;
}

interface Checked<Output> {
  /** What is right of it where there are errors. */
  readonly output: Partial<Output>;
  readonly errors: readonly ApiError[];
}

function check<Output>(schema: v.GenericSchema<unknown, Output>, value: unknown): Checked<Output> {
  const result = v.safeParse(schema, value);
  const shape = shapeErrors(schema, value);
  // what is missing in a list that stands for an object was never meant to be there
  const told = (field: string | undefined): boolean =>
    shape.some(({ parameter }) => parameter === undefined || parameter === field || field?.startsWith(`${parameter}.`));
  const fields = issuesToErrors(schema, result.issues ?? []).filter(({ parameter }) => !told(parameter));
  const isObject = typeof result.output === "object" && result.output !== null;
  return { output: isObject ? result.output : {}, errors: [...shape, ...fields] };
}

function throwIfAny(errors: readonly ApiError[], value: unknown): void {
  const [first, ...others] = errors.slice(0, MAX_ERRORS).map((error) => ({ ...error, ...readTaskScope(value) }));
  if (first) throw new TaskError([first, ...others]);
}
