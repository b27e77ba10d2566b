import { type ApiError, TaskError } from "../schema/api-error.ts";
import type { ImageItem, PendingItem, TaskResponse } from "../schema/response.ts";

/** Limits of `AsyncTasks`. */
export interface AsyncTasksOptions {
  /** Milliseconds for which the answer of a task stays available after its end. Default: an hour. */
  readonly ttlMs?: number | undefined;
  /** Most tasks, running or ended. Default: 1000. */
  readonly maxTasks?: number | undefined;
  /** Most bytes of all answers, approximately. Default: 256 MiB. */
  readonly maxBytes?: number | undefined;
  /** The clock, in milliseconds. Default: performance.now. */
  readonly now?: (() => number) | undefined;
}

interface Entry {
  /** Number of results that are still missing. */
  pending: number;
  readonly items: ImageItem[];
  readonly errors: ApiError[];
  bytes: number;
  /** Time of its end. */
  ended: number | undefined;
}

const HOUR_MS = 3_600_000;
const MAX_TASKS = 1000;
const MAX_BYTES = 256 << 20;

/**
 * Results of tasks with `deliveryMethod` async, until `getResponse` asks for them and for a time after. Running tasks are
 * never dropped; of the ended tasks, the oldest are dropped first.
 */
export class AsyncTasks {
  /** Ended tasks are in the order of their ends. */
  readonly #entries = new Map<string, Entry>();
  readonly #ttlMs: number;
  readonly #maxTasks: number;
  readonly #maxBytes: number;
  readonly #now: () => number;
  #bytes = 0;
  #lastEnded: string | undefined;

  constructor({
    ttlMs = HOUR_MS,
    maxTasks = MAX_TASKS,
    maxBytes = MAX_BYTES,
    now = (): number => performance.now(),
  }: AsyncTasksOptions = {}) {
    this.#ttlMs = ttlMs;
    this.#maxTasks = maxTasks;
    this.#maxBytes = maxBytes;
    this.#now = now;
  }

  /** Number of tasks, running or ended. */
  get size(): number {
    return this.#entries.size;
  }

  /**
   * Adds a task that begins. An ended task with the same UUID is dropped.
   *
   * @param results  number of results that it will have
   * @returns the acknowledgement
   * @throws TaskError if a task with this UUID is running, or too many tasks are
   */
  start(taskUUID: string, results: number): PendingItem {
    const earlier = this.#entries.get(taskUUID);
    if (earlier && earlier.ended === undefined)
      throw new TaskError([
        {
          code: "conflictTaskUUID",
          message: `A task with the UUID ${taskUUID} is still running; each task needs its own, as crypto.randomUUID() gives.`,
          parameter: "taskUUID",
          type: "string",
        },
      ]);
    this.#delete(taskUUID);
    this.#makeRoom(1);
    if (this.#entries.size >= this.#maxTasks)
      throw new TaskError([
        {
          code: "serviceUnavailable",
          message: `${this.#maxTasks} asynchronous tasks are running already; send the task again when some have ended.`,
          max: this.#maxTasks,
        },
      ]);
    this.#entries.set(taskUUID, { pending: results, items: [], errors: [], bytes: 0, ended: undefined });
    return { taskType: "imageInference", taskUUID };
  }

  /** Adds a result. Does nothing if the task is not running. */
  add(taskUUID: string, item: ImageItem): void {
    const entry = this.#running(taskUUID);
    if (!entry) return;
    const bytes = bytesOf(item);
    entry.items.push({ ...item, status: "success" });
    entry.pending = Math.max(0, entry.pending - 1);
    entry.bytes += bytes;
    this.#bytes += bytes;
    this.#makeRoom(0);
  }

  /** Adds errors. Results may still come. */
  fail(taskUUID: string, errors: readonly ApiError[]): void {
    const scope = { taskType: "imageInference", taskUUID };
    this.#running(taskUUID)?.errors.push(...errors.map((error) => ({ ...scope, ...error })));
  }

  /** Marks a task as ended. If results are missing without an error, adds one. */
  end(taskUUID: string): void {
    const entry = this.#running(taskUUID);
    if (!entry) return;
    if (entry.pending > 0 && entry.errors.length === 0)
      this.fail(taskUUID, [
        { code: "inferenceError", message: `The task ended with ${entry.pending} results missing.` },
      ]);
    this.#lastEnded = taskUUID;
    entry.ended = this.#now();
    this.#entries.delete(taskUUID);
    this.#entries.set(taskUUID, entry);
    this.#makeRoom(0);
  }

  /**
   * The answer to `getResponse`: the results so far with status `success`, one item with status `processing` for each
   * missing result, and the errors. It does not change by being read.
   *
   * @throws TaskError if there is no such task
   */
  poll(taskUUID: string): TaskResponse {
    this.#makeRoom(0);
    const entry = this.#entries.get(taskUUID);
    if (!entry)
      throw new TaskError([
        {
          code: "invalidTaskUUID",
          message:
            `There is no asynchronous task with the UUID ${taskUUID}: it was never sent here with deliveryMethod async, ` +
            `or it ended more than ${this.#ttlMs / 1000} s ago or before too many others.`,
          parameter: "taskUUID",
          type: "string",
        },
      ]);
    const waiting = Array.from({ length: entry.ended === undefined ? entry.pending : 0 }, (): PendingItem => ({
      taskType: "imageInference",
      taskUUID,
      status: "processing",
    }));
    return { data: [...entry.items, ...waiting], errors: [...entry.errors] };
  }

  #running(taskUUID: string): Entry | undefined {
    const entry = this.#entries.get(taskUUID);
    return entry?.ended === undefined ? entry : undefined;
  }

  /**
   * Drops ended tasks that expired, and the oldest until there is room for `more` tasks. The task that ended last is not
   * dropped for its bytes, because no client could have read it yet.
   */
  #makeRoom(more: number): void {
    const oldest = this.#now() - this.#ttlMs;
    for (const [taskUUID, { ended }] of this.#entries) {
      if (ended === undefined) continue;
      const tooLarge = this.#bytes > this.#maxBytes && taskUUID !== this.#lastEnded;
      const full = this.#entries.size + more > this.#maxTasks || tooLarge;
      if (ended > oldest && !full) return;
      this.#delete(taskUUID);
    }
  }

  #delete(taskUUID: string): void {
    this.#bytes -= this.#entries.get(taskUUID)?.bytes ?? 0;
    this.#entries.delete(taskUUID);
  }
}

/** Only the pictures in items count. */
function bytesOf({ imageBase64Data = "", imageDataURI = "" }: ImageItem): number {
  return imageBase64Data.length + imageDataURI.length;
}
