import { readTaskScope, TaskError } from "./api-error.ts";

/** Bytes of one request or message: four references of a few megapixels as base64 fit. */
export const MAX_REQUEST_BYTES = 64 * 2 ** 20;
/** Tasks of one request. Each bad one is answered, so without a limit a small request would get a huge answer. */
export const MAX_TASKS = 1000;

/**
 * The tasks in a request's text: a JSON array of them, or one alone.
 *
 * Numbers are what `JSON.parse` makes of them, so a `seed` beyond 2⁵³ − 1 is exact as a string of digits only.
 *
 * @throws TaskError `invalidJSON`, `tooManyTasks`
 */
export function parseTaskList(text: string): readonly unknown[] {
  const value = parseJson(text);
  const tasks: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (tasks.length <= MAX_TASKS) return tasks;
  const message = `A request holds up to ${MAX_TASKS} tasks; got ${tasks.length}.`;
  throw new TaskError([{ code: "tooManyTasks", message, max: MAX_TASKS }]);
}

/** The type that a task says it has. */
export function taskTypeOf(task: unknown): string | undefined {
  return readTaskScope(task).taskType;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    const message = `A task or an array of tasks was expected as JSON: ${problem.slice(0, 200)}`;
    throw new TaskError([{ code: "invalidJSON", message }], { cause });
  }
}
