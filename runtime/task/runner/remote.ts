import { KleinbildError } from "../../errors.ts";
import { type ApiError, readTaskScope, TaskError, type TaskScope, toApiErrors } from "../schema/api-error.ts";
import { encodeDataUri } from "../media/data-uri.ts";
import { isTimeout, withDeadline } from "../net/deadline.ts";
import { connectionProblem, type Fetch, publicAddress, readLimited } from "../net/limited-fetch.ts";
import type { MediaStore } from "../media/media-store.ts";
import { isLocalInput, resolvePicture } from "../media/reference-input.ts";
import { parseResponse, serialiseTask } from "./remote-json.ts";
import type { ResponseItem, TaskResponse } from "../schema/response.ts";

/** A server that speaks the API. */
export interface RemoteServer {
  /** Address to which tasks are posted, such as https://host/v1. */
  readonly url: string;
  /** Key for the server. Default: none. */
  readonly apiKey?: string | undefined;
}

export interface RemoteOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onResult?: ((item: ResponseItem) => void) | undefined;
  readonly onError?: ((error: ApiError) => void) | undefined;
  /** Pictures that tasks may name; they are sent with the tasks. */
  readonly store?: MediaStore | undefined;
  /** Default: the platform's. */
  readonly fetch?: Fetch | undefined;
  /** Longest time until the whole answer has arrived. Default: ten minutes. */
  readonly timeoutMs?: number | undefined;
  /** Most bytes of the answer. Default: 512 MiB. */
  readonly maxBytes?: number | undefined;
}

const TIMEOUT_MS = 600_000;
const MAX_ANSWER_BYTES = 512 << 20;

/**
 * Sends tasks to a server that speaks the API, in one request, which is not repeated.
 *
 * Pictures of the store and object URLs, which the server cannot read, are sent as data URIs. UUIDs that the store does not
 * have are sent as they are.
 *
 * @param tasks  one task or an array; the server checks them
 * @returns the server's answer. Tasks that it did not answer have an error
 * @throws only the reason of the signal
 */
export async function sendRemote(
  server: RemoteServer,
  tasks: unknown,
  options: RemoteOptions = {},
): Promise<TaskResponse> {
  const { signal, onResult, onError } = options;
  signal?.throwIfAborted();
  const list: readonly unknown[] = Array.isArray(tasks) ? tasks : [tasks];
  const { sendable, failed } = await withLocalPictures(list, options);
  const answer = sendable.length === 0 ? { data: [], errors: [] } : await ask(server, sendable, options);
  const errors = [...failed, ...answer.errors];
  for (const item of answer.data) onResult?.(item);
  for (const error of errors) onError?.(error);
  return { data: answer.data, errors };
}

/** A task and what is sent for it. */
interface Sendable {
  readonly scope: TaskScope;
  readonly json: string;
}

async function ask(server: RemoteServer, tasks: readonly Sendable[], options: RemoteOptions): Promise<TaskResponse> {
  const { data, errors } = await post(server, tasks, options);
  const answered = new Set([...data, ...errors].map(({ taskUUID }) => taskUUID));
  const silent = tasks.filter(({ scope }) => !answered.has(scope.taskUUID));
  const unanswered = silent.map(({ scope }) => ({
    ...scope,
    code: "serviceUnavailable",
    message: `${publicAddress(server.url)} did not answer this task.`,
  }));
  return { data, errors: [...errors, ...unanswered] };
}

async function post(
  { url, apiKey }: RemoteServer,
  tasks: readonly Sendable[],
  options: RemoteOptions,
): Promise<TaskResponse> {
  const { signal, fetch: send = fetch, timeoutMs = TIMEOUT_MS, maxBytes = MAX_ANSWER_BYTES } = options;
  const failAll = (code: string, message: string): TaskResponse => ({
    data: [],
    errors: tasks.map(({ scope }) => ({ ...scope, code, message: `${publicAddress(url)} ${message}.` })),
  });
  if (!/^https?:/i.test(url) || !URL.canParse(url)) return failAll("serviceUnavailable", "is no http or https address");
  try {
    const headers = {
      "content-type": "application/json",
      ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
    };
    const { status, text } = await withDeadline(timeoutMs, signal, async (inner) => {
      const body = `[${tasks.map(({ json }) => json).join(",")}]`;
      // a redirect would turn the POST into a GET, or take the key elsewhere
      const response = await send(url, { method: "POST", headers, body, redirect: "manual", signal: inner });
      const bytes = await readLimited(response, new URL(url), maxBytes, inner);
      return { status: response.status, text: new TextDecoder().decode(bytes) };
    });
    return readAnswer(text, tasks) ?? failAll(codeOf(status), describe(status, text));
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof KleinbildError) return failAll("serviceUnavailable", `gave no answer (${error.message})`);
    if (isTimeout(error)) return failAll("timeout", `did not answer within ${timeoutMs / 1000} s`);
    return failAll("serviceUnavailable", `could not be reached${connectionProblem(error)}`);
  }
}

/** The answer; undefined if it is none of the API. An error without a task becomes an error of every task. */
function readAnswer(text: string, tasks: readonly Sendable[]): TaskResponse | undefined {
  let answer: unknown;
  try {
    answer = parseResponse(text);
  } catch {
    return undefined; // `describe` reports it
  }
  if (!isObject(answer)) return undefined;
  const { data, errors, error } = answer;
  if (data === undefined && errors === undefined && error === undefined) return undefined;
  const said = [errors, error].flat().filter((one) => isObject(one) && typeof one["code"] === "string");
  return {
    data: [data].flat().filter(isObject) as unknown as ResponseItem[],
    errors: (said as unknown as ApiError[]).flatMap((one) =>
      one.taskUUID === undefined ? tasks.map(({ scope }) => ({ ...one, ...scope })) : [one],
    ),
  };
}

function codeOf(status: number): string {
  if (status === 401 || status === 403) return "invalidApiKey";
  return status === 408 || status === 504 ? "timeout" : "serviceUnavailable";
}

function describe(status: number, text: string): string {
  if (status === 0 || (status >= 300 && status < 400))
    return "redirects, which is not followed; give the final address";
  const start = JSON.stringify(text.slice(0, 80));
  return `answered with status ${status} and no answer of the API but ${text === "" ? "nothing" : start}`;
}

interface Prepared {
  readonly sendable: readonly Sendable[];
  /** Errors of tasks that cannot be sent. */
  readonly failed: readonly ApiError[];
}

async function withLocalPictures(tasks: readonly unknown[], options: RemoteOptions): Promise<Prepared> {
  const sendable: Sendable[] = [];
  const failed: ApiError[] = [];
  for (const task of tasks) {
    try {
      const json = serialise(await withoutLocalInputs(task, options));
      sendable.push({ scope: readTaskScope(task), json });
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!(error instanceof TaskError)) throw error;
      failed.push(...toApiErrors(error, readTaskScope(task)));
    }
  }
  return { sendable, failed };
}

function serialise(task: unknown): string {
  try {
    return serialiseTask(task);
  } catch (cause) {
    const message = `The task cannot be written as JSON: ${cause instanceof Error ? cause.message : String(cause)}`;
    throw new TaskError([{ code: "validationFailed", message }], { cause });
  }
}

async function withoutLocalInputs(task: unknown, { store, signal }: RemoteOptions): Promise<unknown> {
  if (!store || !isObject(task)) return task;
  const portable = async (input: unknown, parameter: string): Promise<unknown> => {
    if (typeof input !== "string" || !isLocalInput(input, store)) return input;
    const { bytes, type } = await resolvePicture(input, { store, signal, parameter });
    return encodeDataUri(bytes, type);
  };
  if (task["taskType"] === "imageUpload") return { ...task, image: await portable(task["image"], "image") };
  const { inputs } = task;
  if (!isObject(inputs) || !Array.isArray(inputs["referenceImages"])) return task;
  const pictures: readonly unknown[] = inputs["referenceImages"];
  const referenceImages = await Promise.all(
    pictures.map(async (input, i) => portable(input, `inputs.referenceImages[${i}]`)),
  );
  return { ...task, inputs: { ...inputs, referenceImages } };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
