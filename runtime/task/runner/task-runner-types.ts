import type { ApiError } from "../schema/api-error.ts";
import type { ResponseItem, TaskResponse } from "../schema/response.ts";

export interface RunTasksOptions {
  /** Aborts the tasks that this call started; its reason is what `runTasks` rejects with. */
  readonly signal?: AbortSignal | undefined;
  /** Called for each result when it is there, in the order in which they come. */
  readonly onResult?: ((item: ResponseItem) => void) | undefined;
  readonly onError?: ((error: ApiError) => void) | undefined;
}

/** Answers tasks of the API; fetch, HTTP and WebSocket are ways to reach one. */
export interface TaskRunner {
  /**
   * @param tasks  one task or an array; anything else is answered with errors
   * @throws the reason of `signal`, and nothing because of a bad task
   */
  runTasks(tasks: unknown, options?: RunTasksOptions): Promise<TaskResponse>;
}
