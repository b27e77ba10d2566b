import { readTaskScope, TaskError } from "./api-error.ts";

/** Bytes of one request or message: four references of a few megapixels as base64 fit. */
export const MAX_REQUEST_BYTES = 64 * 2 ** 20;
/** Tasks of one request. Each bad one is answered, so without a limit a small request would get a huge answer. */
export const MAX_TASKS = 1000;

/**
 * `seed` as a number of 16 to 19 digits, beyond which no double is exact and up to which there are seeds. Within a string
 * of valid JSON a quotation mark follows a backslash, so that what matches is a key.
 */
const LONG_SEED = /(?<!\\)"seed"\s*:\s*([1-9]\d{15,18})(?=\s*[,}])/g;

/**
 * The tasks in a request's text: a JSON array of them, or one alone. Long seeds become strings of their digits, for
 * `JSON.parse` would round them.
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
    return JSON.parse(text.replaceAll(LONG_SEED, '"seed":"$1"')) as unknown;
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    const message = `A task or an array of tasks was expected as JSON: ${problem.slice(0, 200)}`;
    throw new TaskError([{ code: "invalidJSON", message }], { cause });
  }
}
