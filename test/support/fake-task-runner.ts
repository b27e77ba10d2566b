import { type ApiError, readTaskScope } from "../../runtime/task/schema/api-error.ts";
import type { ImageItem, ResponseItem, TaskResponse } from "../../runtime/task/schema/response.ts";
import type { RunTasksOptions, TaskRunner } from "../../runtime/task/runner/task-runner-types.ts";

/** A task as a test writes one. */
type Task = Readonly<Record<string, unknown>>;

/** One call of `runTasks`. */
export interface RecordedCall {
  readonly tasks: readonly Task[];
  readonly signal: AbortSignal | undefined;
}

/**
 * Answers tasks without an engine: a picture for each result, `width` below 128 is refused, uploads are kept. A picture is
 * there when `whenReady` says so.
 */
export class FakeTaskRunner implements TaskRunner {
  readonly calls: RecordedCall[] = [];
  readonly uploads = new Map<string, unknown>();
  readonly #finished = new Map<string, readonly ResponseItem[]>();
  readonly #whenReady: (index: number, signal: AbortSignal | undefined) => Promise<void>;
  #started: () => void = () => {};

  constructor(whenReady: (index: number, signal: AbortSignal | undefined) => Promise<void> = async () => {}) {
    this.#whenReady = whenReady;
  }

  /** Settles with the next call. */
  nextCall(): Promise<void> {
    return new Promise((resolve) => {
      this.#started = resolve;
    });
  }

  async runTasks(tasks: unknown, options: RunTasksOptions = {}): Promise<TaskResponse> {
    options.signal?.throwIfAborted();
    const list = (Array.isArray(tasks) ? tasks : [tasks]) as readonly Task[];
    this.calls.push({ tasks: list, signal: options.signal });
    this.#started();
    const answers: TaskResponse[] = [];
    for (const task of list) answers.push(await this.#run(task, options));
    return { data: answers.flatMap(({ data }) => data), errors: answers.flatMap(({ errors }) => errors) };
  }

  async #run(task: Task, options: RunTasksOptions): Promise<TaskResponse> {
    switch (readTaskScope(task).taskType) {
      case "imageInference":
        return this.#infer(task, options);
      case "imageUpload":
        return this.#upload(task);
      case "getResponse":
        return { data: this.#finished.get(task["taskUUID"] as string) ?? [], errors: [] };
      case undefined:
      default:
        return failure(task, { code: "unsupportedTaskType", message: "No such task.", parameter: "taskType" });
    }
  }

  async #infer(task: Task, { signal, onResult }: RunTasksOptions): Promise<TaskResponse> {
    if (!((task["width"] as number) >= 128))
      return failure(task, {
        code: "invalidWidth",
        message: "Too small.",
        parameter: "width",
        type: "integer",
        min: 128,
      });
    const data: ResponseItem[] = [];
    for (let i = 0; i < ((task["numberResults"] as number | undefined) ?? 1); i++) {
      await this.#whenReady(i, signal);
      signal?.throwIfAborted();
      const item = picture(task, i);
      data.push(item);
      if (task["deliveryMethod"] !== "async") onResult?.(item);
    }
    if (task["deliveryMethod"] !== "async") return { data, errors: [] };
    const taskUUID = task["taskUUID"] as string;
    this.#finished.set(
      taskUUID,
      data.map((item) => ({ ...item, status: "success" }) as ImageItem),
    );
    return { data: [{ taskType: "imageInference", taskUUID }], errors: [] };
  }

  #upload(task: Task): TaskResponse {
    const imageUUID = crypto.randomUUID();
    this.uploads.set(imageUUID, task["image"]);
    return { data: [{ taskType: "imageUpload", taskUUID: task["taskUUID"] as string, imageUUID }], errors: [] };
  }
}

function picture(task: Task, index: number): ImageItem {
  const taskUUID = task["taskUUID"] as string;
  return { taskType: "imageInference", taskUUID, imageUUID: crypto.randomUUID(), seed: 7 + index };
}

function failure(task: Task, error: ApiError): TaskResponse {
  return { data: [], errors: [{ ...error, ...readTaskScope(task) }] };
}
