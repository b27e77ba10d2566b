import { show } from "../../validation/describe-field.ts";
import { fieldCode, TaskError } from "../schema/api-error.ts";
import type { ModelManifest } from "./model-registry.ts";

const TASK_TYPES = ["imageInference", "imageUpload", "getResponse"];

/** A task UUID that an earlier task of the request has. */
export function repeatedUuid(taskUUID: string): TaskError {
  return new TaskError([
    {
      code: "conflictTaskUUID",
      message: `taskUUID must be unique; another task of this request has ${show(taskUUID)}.`,
      parameter: "taskUUID",
      type: "string",
    },
  ]);
}

/** A value that is no task of a known type. */
export function unknownTask(task: unknown): TaskError {
  const isObject = typeof task === "object" && task !== null && !Array.isArray(task);
  const { taskType } = isObject ? (task as { readonly taskType?: unknown }) : {};
  const expected = `one of ${TASK_TYPES.join(", ")}`;
  const message = isObject
    ? `taskType must be ${expected}; got ${show(taskType)}.`
    : `A task must be an object with a taskType, ${expected}; got ${show(task)}.`;
  return new TaskError([
    {
      code: taskType === undefined ? "missingTaskType" : "unsupportedTaskType",
      message,
      parameter: "taskType",
      type: "string",
      allowedValues: TASK_TYPES,
    },
  ]);
}

/** A model id that is not registered. */
export function unknownModel(model: unknown, ids: readonly string[]): TaskError {
  return new TaskError([
    {
      code: fieldCode("invalid", "model"),
      message: `There is no model ${show(model)}; there are ${ids.join(", ")}.`,
      parameter: "model",
      type: "string",
      allowedValues: ids,
    },
  ]);
}

/** A registered model without weights on this machine. */
export function noWeights({ id, name, source, files, license }: ModelManifest): TaskError {
  return new TaskError([
    {
      code: "modelUnavailable",
      message:
        `There are no weights for ${id} (${name}) here. Map it to a folder of ${source} (${files.length} files in diffusers layout, ` +
        `${license.name}), as in createTaskRunner({ models: { "${id}": { model: … } } }).`,
      parameter: "model",
      type: "string",
    },
  ]);
}

/** A LoRA that is neither registered nor an address. @param index  in the task's `lora` */
export function unknownLora(model: string, index: number, known: readonly string[]): TaskError {
  const registered = known.length === 0 ? "none is registered" : `registered are ${known.join(", ")}`;
  return new TaskError([
    {
      code: "modelNotFound",
      message: `There is no LoRA ${JSON.stringify(model.slice(0, 80))}; ${registered}. The http or https address of a safetensors file works too.`,
      parameter: `lora[${index}].model`,
      type: "string",
    },
  ]);
}
