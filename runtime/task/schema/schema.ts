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

/** Stores a picture. Later tasks can refer to it by its UUID. */
export interface ImageUploadTask {
  /** Always `imageUpload`. */
  readonly taskType: "imageUpload";
  /** A UUID of version 4, which identifies the task in every answer. */
  readonly taskUUID: string;
  /** A URL, a data URI or base64. */
  readonly image: string;
}
export type ResolvedImageUploadTask = ImageUploadTask;

/** Asks for the results of an asynchronous task so far. */
export interface GetResponseTask {
  /** Always `getResponse`. */
  readonly taskType: "getResponse";
  /** UUID of the asynchronous task. */
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
  taskUUID: uuid({ description: "UUID of the asynchronous task." }),
});

/** Further problems are not reported. */
const MAX_ERRORS = 50;

/**
 * Checks a task against the API and its model, and fills in the defaults.
 *
 * @throws TaskError with every problem: first fields that do not exist, then values of single fields, then rules between
 *         fields
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
  /** When there are errors: without the fields that are wrong. */
  readonly output: Partial<Output>;
  readonly errors: readonly ApiError[];
}

function check<Output>(schema: v.GenericSchema<unknown, Output>, value: unknown): Checked<Output> {
  const result = v.safeParse(schema, value);
  const shape = shapeErrors(schema, value);
  // a list where an object belongs lacks all fields of the object, which says nothing more
  const reported = (field: string | undefined): boolean =>
    shape.some(({ parameter }) => parameter === undefined || parameter === field || field?.startsWith(`${parameter}.`));
  const fields = issuesToErrors(schema, result.issues ?? []).filter(({ parameter }) => !reported(parameter));
  const isObject = typeof result.output === "object" && result.output !== null;
  return { output: isObject ? result.output : {}, errors: [...shape, ...fields] };
}

function throwIfAny(errors: readonly ApiError[], value: unknown): void {
  const [first, ...others] = errors.slice(0, MAX_ERRORS).map((error) => ({ ...error, ...readTaskScope(value) }));
  if (first) throw new TaskError([first, ...others]);
}
