import { type ApiError, TaskError } from "../../../runtime/task/schema/api-error.ts";
import type { ResolvedImageInferenceTask } from "../../../runtime/task/schema/image-inference-task.ts";
import { type ModelRules, parseImageInference } from "../../../runtime/task/schema/schema.ts";

/** As the page of 9B KV has them. */
export const KV: ModelRules = {
  id: "runware:400@6",
  defaultSteps: 4,
  negativePrompt: { min: 2, max: 3000 },
  distilled: true,
};

/** As the page of 9B Base has them. */
export const BASE: ModelRules = {
  id: "runware:400@3",
  defaultSteps: 28,
  negativePrompt: { min: 1, max: 10_000 },
  distilled: false,
};

/** The required fields and nothing else. */
export const TASK = {
  taskType: "imageInference",
  taskUUID: "5f0c1d7e-8a4b-4c39-9d21-0e6f3b7a8c55",
  model: "runware:400@3",
  positivePrompt: "a fox",
  width: 512,
  height: 768,
} as const;

/** A task as anybody may write one. */
export type Fields = Readonly<Record<string, unknown>>;

export function parse(fields: Fields, rules = BASE): ResolvedImageInferenceTask {
  return parseImageInference({ ...TASK, ...fields }, rules);
}

/** The errors without the task that they belong to; none for a good task. */
export function errorsOf(fields: Fields, rules = BASE): ApiError[] {
  return thrown(() => parse(fields, rules)).map(({ taskType: _type, taskUUID: _uuid, ...error }) => error);
}

/** @returns the errors of a `TaskError`. Other errors are rethrown. */
export function thrown(run: () => unknown): readonly ApiError[] {
  try {
    run();
  } catch (error) {
    if (error instanceof TaskError) return error.errors;
    throw error;
  }
  return [];
}
