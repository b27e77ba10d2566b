import { KleinbildError } from "../../errors.ts";
import { type ApiError, readTaskScope, TaskError, toApiErrors } from "../schema/api-error.ts";
import { AsyncTasks } from "./async-tasks.ts";
import { deliverErrors } from "./delivery.ts";
import { type ImageInferenceTools, runImageInference, type Weights } from "./image-inference.ts";
import type { ResolvedImageInferenceTask } from "../schema/image-inference-task.ts";
import type { ModelManifest, ModelRegistry } from "./model-registry.ts";
import { uploadImage } from "./image-upload.ts";
import type { MediaStore } from "../media/media-store.ts";
import { noWeights, repeatedUuid, unknownModel, unknownTask } from "./refusals.ts";
import { type RemoteServer, sendRemote } from "./remote.ts";
import type { ImageItem, ResponseItem, TaskResponse } from "../schema/response.ts";
import { parseGetResponse, parseImageInference, parseImageUpload, RULES_OF_ANY_MODEL } from "../schema/schema.ts";
import type { RunTasksOptions, TaskRunner } from "./task-runner-types.ts";

/** A server that speaks the API, and when tasks go there. A warning of each result says that the server made it. */
export interface RemoteChoice extends RemoteServer {
  /** `always`, or only if this machine has no weights or cannot run them (`unsupported`). Default: `unsupported`. */
  readonly when?: "always" | "unsupported" | undefined;
}

/** @internal */
export interface TaskRunnerTools<Source extends object> extends ImageInferenceTools<Source> {
  readonly registry: ModelRegistry;
  /** The weights that a model uses; undefined if there are none. */
  readonly weightsFor: (manifest: ModelManifest) => Weights<Source> | undefined;
  readonly remote: RemoteChoice | undefined;
}

/** Errors with these codes are failures of this machine, unless they name a field or a file of the task. */
const MACHINE_FAILURES: ReadonlySet<string> = new Set(["no-webgpu", "unsupported", "out-of-memory"]);

/** Runs tasks of the API one after the other on this machine; `createTaskRunner` makes one. */
export class LocalTaskRunner<Source extends object> implements TaskRunner {
  readonly #tools: TaskRunnerTools<Source>;
  readonly #background = new AsyncTasks();
  readonly #running = new Set<Promise<void>>();
  readonly #disposing = new AbortController();

  /** @internal Use `createTaskRunner`. */
  constructor(tools: TaskRunnerTools<Source>) {
    this.#tools = tools;
  }

  /** Outputs and uploads by UUID. Pass it to `createFetchHandler` as `media`. */
  get media(): MediaStore {
    return this.#tools.exchange.store;
  }

  /**
   * Runs tasks in order. A task that fails does not stop the others.
   *
   * @param tasks  one task or an array
   * @throws the reason of `signal`; errors of tasks are part of the answer
   */
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
        if (scope.taskUUID !== undefined && scope.taskType !== "getResponse") {
          if (seen.has(scope.taskUUID)) throw repeatedUuid(scope.taskUUID);
          seen.add(scope.taskUUID);
        }
        const answer = await this.#run(task, scope.taskType, signal, (item) => {
          delivered.push(item);
          onResult?.(item);
        });
        data.push(...answer.data);
        add(answer.errors);
      } catch (error) {
        signal?.throwIfAborted();
        data.push(...delivered); // pictures that were made before the failure are results
        add(toApiErrors(error, scope));
      }
    }
    return { data, errors };
  }

  /** Resolves when no asynchronous task is running. Await it before the process ends. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  /** Aborts all tasks; frees the engine, and the pictures with their addresses. */
  async dispose(): Promise<void> {
    this.#disposing.abort(new KleinbildError("disposed", "The task runner was disposed of."));
    await this.#tools.slot.dispose();
    this.media.clear();
  }

  /** `dispose`, for `await using`. */
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
        const item = await uploadImage(parseImageUpload(task), { ...this.#tools.exchange, signal });
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

  /** Never rejects: errors are part of the answer to `getResponse`. */
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

  /** The model that a task names. @throws TaskError if there is none, with the other problems of the task */
  #manifest(value: unknown): ModelManifest {
    const { registry } = this.#tools;
    const model = (value as { readonly model?: unknown }).model;
    const manifest = typeof model === "string" ? registry.get(model) : undefined;
    if (manifest) return manifest;
    parseImageInference(value, RULES_OF_ANY_MODEL); // reports a model that is missing or no string, like other fields
    throw unknownModel(model, registry.ids);
  }

  /** Runs the task here or on the remote server. Errors also go to the webhook of the task. */
  async #answer(
    value: unknown,
    task: ResolvedImageInferenceTask,
    manifest: ModelManifest,
    signal: AbortSignal | undefined,
    onItem: (item: ImageItem) => void,
  ): Promise<readonly ImageItem[]> {
    const { remote, weightsFor, exchange } = this.#tools;
    if (remote?.when === "always") return this.#ask(remote, value, "chosen for all tasks", signal, onItem);
    const weights = weightsFor(manifest);
    if (!weights && remote)
      return this.#ask(remote, value, `there are no weights for ${manifest.id} here`, signal, onItem);
    let delivered = 0;
    try {
      if (!weights) throw noWeights(manifest);
      return await runImageInference({ task, manifest, weights }, this.#tools, {
        signal,
        onItem: (item) => {
          delivered++;
          onItem(item);
        },
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
    const { store } = this.#tools.exchange;
    // the remote server answers at once; this runner then delivers the results in the way that the task asks for
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
