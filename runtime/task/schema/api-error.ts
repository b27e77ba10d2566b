import { type ErrorDetails, KleinbildError, type KleinbildErrorCode } from "../../errors.ts";
import { show } from "../../validation/describe-field.ts";

/** One problem of one task, in the hosted API's shape. */
export interface ApiError {
  /** Camel case, as the hosted API writes it: `invalidWidth`, `missingPositivePrompt`; docs/task.md lists them. */
  readonly code: string;
  /** What was wrong, what was expected and, where there is something, what to do. */
  readonly message: string;
  /** The field as a dotted path, `inputs.referenceImages[2]`. */
  readonly parameter?: string | undefined;
  /** Type of the field: `string`, `integer`, `float`, `boolean`, `object`, `array`. */
  readonly type?: string | undefined;
  /** Type of the task that failed. */
  readonly taskType?: string | undefined;
  /** UUID of the task that failed. */
  readonly taskUUID?: string | undefined;
  /** Lower limit of the value, of a string's length, or of the number of items. */
  readonly min?: number | undefined;
  /** Upper limit, as `min`. */
  readonly max?: number | undefined;
  /** The value must be a multiple of it. */
  readonly multiplier?: number | undefined;
  /** Default of the field. */
  readonly default?: string | number | boolean | undefined;
  /** All values that the field accepts. */
  readonly allowedValues?: readonly string[] | undefined;
  /** Address of documentation; set by the hosted API only. */
  readonly documentation?: string | undefined;
  /** The engine's error code, if the engine failed. The hosted API has no such field. */
  readonly engineCode?: KleinbildErrorCode | undefined;
}

/** The task that an error belongs to. */
export interface TaskScope {
  readonly taskType?: string | undefined;
  readonly taskUUID?: string | undefined;
}

/** One or several problems of one task. */
export class TaskError extends Error {
  override readonly name = "TaskError";
  readonly errors: readonly ApiError[];

  constructor(errors: readonly [ApiError, ...ApiError[]], options?: ErrorOptions) {
    super(errors.map(({ message }) => message).join(" "), options);
    this.errors = errors;
  }
}

/**
 * Errors of one task in the shape of the hosted API. Errors that name a task already keep its name.
 *
 * @param signal  of the run: an error that is its reason, which can be any value, is an abort
 */
export function toApiErrors(error: unknown, task: TaskScope, signal?: AbortSignal): readonly ApiError[] {
  const errors = error instanceof TaskError ? error.errors : [toApiError(error, signal)];
  return errors.map((one) => ({ ...scopeOf(task), ...one }));
}

/** Type and UUID of a value that may be a task. */
export function readTaskScope(value: unknown): TaskScope {
  if (typeof value !== "object" || value === null) return {};
  const { taskType, taskUUID } = value as Readonly<Record<string, unknown>>;
  return { ...(isShort(taskType) && { taskType }), ...(isShort(taskUUID) && { taskUUID }) };
}

/** The error code of a field: `invalid` and `acceleratorOptions.cacheEndStep` give `invalidCacheEndStep`. */
export function fieldCode(fault: "invalid" | "missing", parameter: string): string {
  const name = parameter
    .replaceAll(/\[\d+\]/g, "")
    .split(".")
    .at(-1)!;
  return `${fault}${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}

function toApiError(error: unknown, signal: AbortSignal | undefined): ApiError {
  if (error instanceof KleinbildError) return fromEngine(error);
  const { name, message } = describe(error);
  if (name === "TimeoutError") return { code: "timeout", message };
  if (name === "AbortError" || (signal?.aborted && error === signal.reason)) return { code: "aborted", message };
  return { code: "internalServerError", message };
}

function fromEngine({ code, message, details }: KleinbildError): ApiError {
  const parameter = taskParameter(details);
  const { min, max } = details;
  return {
    code: engineCodeName(code, parameter),
    message,
    ...(parameter !== undefined && { parameter }),
    ...(typeof min === "number" && { min }),
    ...(typeof max === "number" && { max }),
    engineCode: code,
  };
}

/** The hosted API's name for a failure of the engine. */
function engineCodeName(code: KleinbildErrorCode, parameter: string | undefined): string {
  switch (code) {
    case "invalid-request":
      return parameter === undefined ? "validationFailed" : fieldCode("invalid", parameter);
    case "invalid-image":
      return fieldCode("invalid", parameter ?? "image");
    case "invalid-model":
      return "invalidModel";
    case "missing-file":
      return "modelUnavailable";
    case "network":
    case "damaged":
    case "storage-full":
      return "downloadFailed";
    case "no-webgpu":
      return "noAvailableServer";
    case "unsupported":
      return parameter === undefined ? "inferenceError" : "unsupportedParameter";
    case "out-of-memory":
    case "over-budget":
    case "device-lost":
    case "not-finite":
      return "inferenceError";
    case "disposed":
    case "worker-died":
      return "serviceUnavailable";
    case "gpu-validation":
    case "invalid-shape":
    case "internal":
      return "internalServerError";
    default:
      code satisfies never;
      return "internalServerError";
  }
}

/** Field of an engine's request → its name in a task. */
const TASK_NAMES: Readonly<Record<string, string>> = {
  prompt: "positivePrompt",
  references: "inputs.referenceImages",
  guidance: "CFGScale",
  "acceleration.method": "acceleratorOptions.teaCache", // the one method that a model may lack
};

function taskParameter({ parameter, index }: ErrorDetails): string | undefined {
  if (typeof parameter !== "string") return undefined;
  const name = Object.hasOwn(TASK_NAMES, parameter) ? TASK_NAMES[parameter]! : parameter;
  return typeof index === "number" ? `${name}[${index}]` : name;
}

function scopeOf({ taskType, taskUUID }: TaskScope): TaskScope {
  return { ...(taskType !== undefined && { taskType }), ...(taskUUID !== undefined && { taskUUID }) };
}

/** Clients find their task by the UUID that they sent, right or wrong. Longer strings cannot be one. */
function isShort(value: unknown): value is string {
  return typeof value === "string" && value.length <= 256;
}

function describe(error: unknown): { readonly name: string; readonly message: string } {
  if (error instanceof Error || error instanceof DOMException)
    return { name: error.name, message: error.message || error.name };
  return {
    name: "",
    message: typeof error === "string" ? error : `A value that is no error was thrown: ${show(error)}`,
  };
}
