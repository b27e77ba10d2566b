import { type ApiError, TaskError } from "../schema/api-error.ts";
import type { ImageItem, PendingItem, TaskResponse } from "../schema/response.ts";

export interface AsyncTasksOptions {
  /** How long the answer of a task is kept after it ended. Default: an hour. */
  readonly ttlMs?: number | undefined;
  /** Running ones and kept answers. Default: 1000. */
  readonly maxTasks?: number | undefined;
  /** Of the kept answers, about. Default: 256 MiB. */
  readonly maxBytes?: number | undefined;
  /** Milliseconds from any start. Default: performance.now. */
  readonly now?: (() => number) | undefined;
}

interface Entry {
  /** How many results are still to come. */
  pending: number;
  readonly items: ImageItem[];
  readonly errors: ApiError[];
  bytes: number;
  /** When it ended. */
  ended: number | undefined;
}

const HOUR_MS = 3_600_000;
const MAX_TASKS = 1000;
const MAX_BYTES = 256 << 20;

/**
 * Tasks with `deliveryMethod` async: what there is of each until it is asked for, and for a time after. Running tasks are
 * always kept; of the ended ones the oldest go first.
 */
export class AsyncTasks {
  /** The ended ones among them are in the order in which they ended. */
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

  /** How many are running or kept. */
  get size(): number {
    return this.#entries.size;
  }

  /**
   * A task begins. The answer of an ended one with the same UUID is forgotten.
   *
   * @param results  how many it will have
   * @returns the acknowledgement
   * @throws TaskError when one with this UUID is running, or too many are
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
          message: `${this.#maxTasks} asynchronous tasks are running already; send it again when some have ended.`,
          max: this.#maxTasks,
        },
      ]);
    this.#entries.set(taskUUID, { pending: results, items: [], errors: [], bytes: 0, ended: undefined });
    return { taskType: "imageInference", taskUUID };
  }

  /** A result has come. Nothing happens when the task is not running. */
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

  /** Some of it failed; results may still come. */
  fail(taskUUID: string, errors: readonly ApiError[]): void {
    const scope = { taskType: "imageInference", taskUUID };
    this.#running(taskUUID)?.errors.push(...errors.map((error) => ({ ...scope, ...error })));
  }

  /** The task ended. Where results are missing and nobody said why, its answer has an error for it. */
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
   * The answer to `getResponse`: the results that there are, with status `success`, one item with status `processing` for
   * each that is still to come, and the errors. It may be asked for again.
   *
   * @throws TaskError when there is no such task
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
   * Drops ended tasks whose time is over, and the oldest until the limits hold for `more` tasks than there are. What ended
   * last is not dropped for its bytes: nobody could have asked for it yet.
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

/** Pictures within items are what counts. */
function bytesOf({ imageBase64Data = "", imageDataURI = "" }: ImageItem): number {
  return imageBase64Data.length + imageDataURI.length;
}
