import { readTaskScope, type TaskScope, toApiErrors } from "../schema/api-error.ts";
import { invalidApiKey, keyCheck } from "./api-key.ts";
import type { ApiAnswer } from "./api-response.ts";
import type { ResponseItem } from "../schema/response.ts";
import { MAX_REQUEST_BYTES, parseTaskList } from "../schema/task-list.ts";
import type { TaskRunner } from "../runner/task-runner-types.ts";

export interface SocketSessionOptions {
  /** The key that an `authentication` task must have, before other tasks. Default: none is needed. */
  readonly apiKey?: string | undefined;
  /** Whether the transport has checked the key already. Default: false. */
  readonly authenticated?: boolean | undefined;
  /** Most UTF-16 units of a message; longer ones are answered with an error. Default: 64 Mi. */
  readonly maxMessageLength?: number | undefined;
  /** Most unfinished tasks; more are refused, so that a client cannot queue without end. Default: 100. */
  readonly maxPendingTasks?: number | undefined;
}

/** Items that are sent besides results of tasks. */
interface ConnectionItem {
  readonly taskType: "authentication" | "ping";
  readonly connectionSessionUUID?: string;
  readonly pong?: true;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * One connection of the hosted API's WebSocket protocol, independent of the transport.
 *
 * A message is a JSON array of tasks. Each task is answered by messages of its own, `{ data: […] }` or `{ errors: […] }`,
 * because the published client reads only the first error of a message. Each picture of an `imageInference` task is sent as
 * soon as it is there. The results of other tasks are one message, because the client's `getResponse` reads only one.
 */
export class SocketSession {
  readonly #runner: TaskRunner;
  readonly #send: (text: string) => void;
  readonly #isKey: (given: unknown) => boolean;
  readonly #maxMessageLength: number;
  readonly #maxPendingTasks: number;
  readonly #pending = new Set<AbortController>();
  #authenticated: boolean;
  #closed = false;

  constructor(runner: TaskRunner, send: (text: string) => void, options: SocketSessionOptions = {}) {
    this.#runner = runner;
    this.#send = send;
    this.#isKey = keyCheck(options.apiKey);
    this.#authenticated = options.authenticated ?? options.apiKey === undefined;
    this.#maxMessageLength = options.maxMessageLength ?? MAX_REQUEST_BYTES;
    this.#maxPendingTasks = options.maxPendingTasks ?? 100;
  }

  /** Settles when every task of the message is answered; never rejects. */
  async receive(text: string): Promise<void> {
    if (this.#closed) return;
    if (text.length > this.#maxMessageLength) {
      const message = `A message has up to ${this.#maxMessageLength} characters; got ${text.length}.`;
      return this.#answer({ errors: [{ code: "requestTooLarge", message, max: this.#maxMessageLength }] });
    }
    try {
      await Promise.all(parseTaskList(text).map((task) => this.#handle(task)));
    } catch (error) {
      this.#answer({ errors: toApiErrors(error, {}) });
    }
  }

  /** Aborts all tasks but acknowledged asynchronous ones, whose results another connection can read. */
  close(): void {
    this.#closed = true;
    const reason = new DOMException("The connection was closed.", "AbortError");
    for (const controller of this.#pending) controller.abort(reason);
  }

  async #handle(task: unknown): Promise<void> {
    const scope = readTaskScope(task);
    if (scope.taskType === "authentication") return this.#authenticate(task as Readonly<Record<string, unknown>>);
    if (scope.taskType === "ping") return this.#answer({ data: [{ taskType: "ping", pong: true }] });
    if (!this.#authenticated) return this.#answer({ errors: [invalidApiKey(scope)] });
    if (this.#pending.size >= this.#maxPendingTasks) {
      const message = `A connection has up to ${this.#maxPendingTasks} unfinished tasks; wait for one of them.`;
      return this.#answer({ errors: [{ code: "tooManyTasks", message, max: this.#maxPendingTasks, ...scope }] });
    }
    return this.#run(task, scope);
  }

  /** A session ends with its connection: resuming one only repeats its UUID. */
  #authenticate({ apiKey, connectionSessionUUID: earlier }: Readonly<Record<string, unknown>>): void {
    if (!this.#isKey(apiKey)) return this.#answer({ errors: [invalidApiKey()] });
    this.#authenticated = true;
    const isUuid = typeof earlier === "string" && UUID.test(earlier);
    const connectionSessionUUID = isUuid ? earlier : crypto.randomUUID();
    return this.#answer({ data: [{ taskType: "authentication", connectionSessionUUID }] });
  }

  async #run(task: unknown, scope: TaskScope): Promise<void> {
    const controller = new AbortController();
    const { signal } = controller;
    const sent = new Set<ResponseItem>();
    const sendNow = (item: ResponseItem): void => {
      if (!this.#pending.has(controller)) return; // its answer was sent
      sent.add(item);
      this.#answer({ data: [item] });
    };
    const onResult = scope.taskType === "imageInference" ? sendNow : undefined;
    this.#pending.add(controller);
    try {
      const { data, errors } = await this.#runner.runTasks([task], { signal, onResult });
      const rest = data.filter((item) => !sent.has(item));
      if (rest.length > 0) this.#answer({ data: rest });
      if (errors.length > 0) this.#answer({ errors });
    } catch (error) {
      this.#answer({ errors: toApiErrors(error, scope, signal) });
    } finally {
      this.#pending.delete(controller);
    }
  }

  #answer(answer: ApiAnswer | { readonly data: readonly ConnectionItem[] }): void {
    if (!this.#closed) this.#send(JSON.stringify(answer));
  }
}
