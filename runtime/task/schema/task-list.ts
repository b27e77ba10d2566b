import { readTaskScope, TaskError } from "./api-error.ts";

/** Most bytes of a request or message: enough for four references of a few megapixels as base64. */
export const MAX_REQUEST_BYTES = 64 * 2 ** 20;
/** Most tasks of a request. Each bad task gets an error, so without a limit a small request would have a huge answer. */
export const MAX_TASKS = 1000;

/**
 * A `seed` of 16 to 19 digits: doubles round numbers of 16 digits, and no seed has more than 19. A match is always a key,
 * because within strings of valid JSON a backslash precedes each quotation mark.
 */
const LONG_SEED = /(?<!\\)"seed"\s*:\s*([1-9]\d{15,18})(?=\s*[,}])/g;

/**
 * The tasks in the text of a request: a JSON array of tasks, or one task. Long seeds become strings of digits, because
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

/** The `taskType` of a task, if it has one. */
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
