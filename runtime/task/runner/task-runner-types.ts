import type { ApiError } from "../schema/api-error.ts";
import type { ResponseItem, TaskResponse } from "../schema/response.ts";

/** Options of `TaskRunner.runTasks`. */
export interface RunTasksOptions {
  /** Aborts the tasks of this call. `runTasks` then rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** Called with each result as soon as it is there. */
  readonly onResult?: ((item: ResponseItem) => void) | undefined;
  /** Called with each error of a task. */
  readonly onError?: ((error: ApiError) => void) | undefined;
}

/** Runs tasks of the API. Requests reach it by a function call, fetch, HTTP or WebSocket. */
export interface TaskRunner {
  /**
   * Runs tasks. A task that fails does not stop the others.
   *
   * @param tasks  one task or an array of tasks
   * @throws the reason of `signal`; errors of tasks are part of the answer
   */
  runTasks(tasks: unknown, options?: RunTasksOptions): Promise<TaskResponse>;
}
