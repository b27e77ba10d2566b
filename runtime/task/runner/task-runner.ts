import { KleinbildError } from "../../errors.ts";
import { show } from "../../validation/describe-field.ts";
import { type ApiError, fieldCode, readTaskScope, TaskError, toApiErrors } from "../schema/api-error.ts";
import { AsyncTasks } from "./async-tasks.ts";
import { deliverErrors } from "./delivery.ts";
import { type ImageInferenceTools, runImageInference, type Weights } from "./image-inference.ts";
import type { ResolvedImageInferenceTask } from "../schema/image-inference-task.ts";
import type { ModelManifest, ModelRegistry } from "./model-registry.ts";
import { uploadImage } from "./image-upload.ts";
import type { MediaStore } from "../media/media-store.ts";
import { type RemoteServer, sendRemote } from "./remote.ts";
import type { ImageItem, ResponseItem, TaskResponse } from "../schema/response.ts";
import { parseGetResponse, parseImageInference, parseImageUpload, RULES_OF_ANY_MODEL } from "../schema/schema.ts";
import type { RunTasksOptions, TaskRunner } from "./task-runner-types.ts";

/** When tasks go to a server that speaks the API; a warning of each item says that they did. */
export interface RemoteChoice extends RemoteServer {
  /** `always`, or only where there are no weights or the adapter cannot run them. Default: `unsupported`. */
  readonly when?: "always" | "unsupported" | undefined;
}

/** @internal */
export interface TaskRunnerParts<Source extends object> extends ImageInferenceTools<Source> {
  readonly registry: ModelRegistry;
  /** The weights that answer for an id; undefined where there are none. */
  readonly weightsFor: (manifest: ModelManifest) => Weights<Source> | undefined;
  readonly remote: RemoteChoice | undefined;
}

/** Codes of failures of this machine, unless they name a field or a file of the task. */
const MACHINE_FAILURES: ReadonlySet<string> = new Set(["no-webgpu", "unsupported", "out-of-memory"]);
const TASK_TYPES = ["imageInference", "imageUpload", "getResponse"];

/** Runs tasks of the API one after the other; a bad one stops no other. */
export class LocalTaskRunner<Source extends object> implements TaskRunner {
  readonly #parts: TaskRunnerParts<Source>;
  readonly #background = new AsyncTasks();
  readonly #running = new Set<Promise<void>>();
  readonly #disposing = new AbortController();

  /** @internal Use `createTaskRunner`. */
  constructor(parts: TaskRunnerParts<Source>) {
    this.#parts = parts;
  }

  /** Outputs and uploads by UUID. */
  get media(): MediaStore {
    return this.#parts.exchange.store;
  }

  async runTasks(tasks: unknown, { signal, onResult, onError }: RunTasksOptions = {}): Promise<TaskResponse> {
    const data: ResponseItem[] = [];
    const errors: ApiError[] = [];
    const add = (problems: readonly ApiError[]): void => {
      errors.push(...problems);
      for (const problem of problems) onError?.(problem);
    };
    const seen = new Set<string>();
    for (const task of Array.isArray(tasks) ? (tasks as readonly unknown[]) : [tasks]) {
      signal?.throwIfAborted();
      const scope = readTaskScope(task);
      const delivered: ResponseItem[] = [];
      try {
        if (scope.taskUUID !== undefined && scope.taskType !== "getResponse") refuseTwice(seen, scope.taskUUID);
        const answer = await this.#run(task, scope.taskType, signal, (item) => {
          delivered.push(item);
          onResult?.(item);
        });
        data.push(...answer.data);
        add(answer.errors);
      } catch (error) {
        signal?.throwIfAborted();
        data.push(...delivered); // pictures made before the failure are not lost
        add(toApiErrors(error, scope));
      }
    }
    return { data, errors };
  }

  /** When no asynchronous task is running any more: before a process that was asked for them ends. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  /** Ends what runs and frees engine, pictures and their addresses. */
  async dispose(): Promise<void> {
    this.#disposing.abort(new KleinbildError("disposed", "The task runner was disposed of."));
    await this.#parts.pool.dispose();
    this.media.clear();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  async #run(
    task: unknown,
    taskType: string | undefined,
    signal: AbortSignal | undefined,
    onItem: (item: ResponseItem) => void,
  ): Promise<TaskResponse> {
    switch (taskType) {
      case "imageInference":
        return answerOf(await this.#imageInference(task, signal, onItem));
      case "imageUpload": {
        const item = await uploadImage(parseImageUpload(task), { ...this.#parts.exchange, signal });
        onItem(item);
        return answerOf([item]);
      }
      case "getResponse": {
        const answer = this.#background.poll(parseGetResponse(task).taskUUID);
        for (const item of answer.data) onItem(item);
        return answer;
      }
      default:
        throw unknownTask(task);
    }
  }

  async #imageInference(
    value: unknown,
    signal: AbortSignal | undefined,
    onItem: (item: ResponseItem) => void,
  ): Promise<readonly ResponseItem[]> {
    const manifest = this.#manifest(value);
    const task = parseImageInference(value, manifest);
    if (task.deliveryMethod === "sync") return this.#answer(value, task, manifest, signal, onItem);
    const acknowledgement = this.#background.start(task.taskUUID, task.numberResults);
    const running = this.#runInBackground(value, task, manifest).finally(() => this.#running.delete(running));
    this.#running.add(running);
    onItem(acknowledgement);
    return [acknowledgement];
  }

  /** Rejects never: what goes wrong is part of the answer to `getResponse`. */
  async #runInBackground(value: unknown, task: ResolvedImageInferenceTask, manifest: ModelManifest): Promise<void> {
    const { taskType, taskUUID } = task;
    const { signal } = this.#disposing;
    try {
      await this.#answer(value, task, manifest, signal, (item) => this.#background.add(taskUUID, item));
    } catch (error) {
      this.#background.fail(taskUUID, toApiErrors(error, { taskType, taskUUID }));
    }
    this.#background.end(taskUUID);
  }

  /** The model that a task names. @throws TaskError with the task's other problems too when there is none */
  #manifest(value: unknown): ModelManifest {
    const { registry } = this.#parts;
    const model = (value as { readonly model?: unknown }).model;
    const manifest = typeof model === "string" ? registry.get(model) : undefined;
    if (manifest) return manifest;
    parseImageInference(value, RULES_OF_ANY_MODEL); // a model that is missing or no string is told like other fields
    throw new TaskError([
      {
        code: fieldCode("invalid", "model"),
        message: `There is no model ${show(model)}; there are ${registry.ids.join(", ")}.`,
        parameter: "model",
        type: "string",
        allowedValues: registry.ids,
      },
    ]);
  }

  /** From here or, where that was chosen, from elsewhere. What fails is told to the task's webhook too. */
  async #answer(
    value: unknown,
    task: ResolvedImageInferenceTask,
    manifest: ModelManifest,
    signal: AbortSignal | undefined,
    onItem: (item: ImageItem) => void,
  ): Promise<readonly ImageItem[]> {
    const { remote, weightsFor, exchange } = this.#parts;
    if (remote?.when === "always") return this.#ask(remote, value, "as was chosen for all tasks", signal, onItem);
    const weights = weightsFor(manifest);
    if (!weights && remote)
      return this.#ask(remote, value, `there are no weights for ${manifest.id} here`, signal, onItem);
    let delivered = 0;
    try {
      if (!weights) throw noWeights(manifest);
      return await runImageInference(task, manifest, weights, this.#parts, signal, (item) => {
        delivered++;
        onItem(item);
      });
    } catch (error) {
      if (remote && delivered === 0 && isMachineFailure(error))
        return this.#ask(remote, value, error.message, signal, onItem);
      if (!signal?.aborted)
        await deliverErrors(toApiErrors(error, readTaskScope(value)), task, { ...exchange, signal });
      throw error;
    }
  }

  async #ask(
    remote: RemoteChoice,
    task: unknown,
    reason: string,
    signal: AbortSignal | undefined,
    onItem: (item: ImageItem) => void,
  ): Promise<readonly ImageItem[]> {
    const warning = `Answered by ${new URL(remote.url).host}: ${reason}`;
    const { store } = this.#parts.exchange;
    // the server is asked to answer at once: whoever waits here is told in the way that the task says
    const { data, errors } = await sendRemote(remote, [{ ...(task as object), deliveryMethod: "sync" }], {
      signal,
      store,
    });
    const items = (data as readonly ImageItem[]).map((item) => ({
      ...item,
      warnings: [...(item.warnings ?? []), warning],
    }));
    for (const item of items) onItem(item);
    const [first, ...others] = errors;
    if (first) throw new TaskError([first, ...others]);
    return items;
  }
}

function isMachineFailure(error: unknown): error is KleinbildError {
  if (!(error instanceof KleinbildError) || !MACHINE_FAILURES.has(error.code)) return false;
  return error.details["parameter"] === undefined && error.details["path"] === undefined;
}

function answerOf(data: readonly ResponseItem[]): TaskResponse {
  return { data, errors: [] };
}

/** @throws TaskError for a UUID that an earlier task of the request has */
function refuseTwice(seen: Set<string>, taskUUID: string): void {
  if (!seen.has(taskUUID)) {
    seen.add(taskUUID);
    return;
  }
  throw new TaskError([
    {
      code: "conflictTaskUUID",
      message: `taskUUID must be unique; ${show(taskUUID)} is that of another task of this request.`,
      parameter: "taskUUID",
      type: "string",
    },
  ]);
}

function unknownTask(task: unknown): TaskError {
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

function noWeights({ id, name, source, files, license }: ModelManifest): TaskError {
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
