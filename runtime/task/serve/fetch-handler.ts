import { TaskError, toApiErrors } from "../schema/api-error.ts";
import { bearerKey, invalidApiKey, keyCheck } from "./api-key.ts";
import { refusal, respond, wrongMethod } from "./api-response.ts";
import { readLimitedBody } from "../net/limited-body.ts";
import { mediaResponse, type MediaSource, mediaUuid } from "./media-response.ts";
import type { TaskResponse } from "../schema/response.ts";
import { MAX_REQUEST_BYTES, parseTaskList, taskTypeOf } from "../schema/task-list.ts";
import type { TaskRunner } from "../runner/task-runner-types.ts";

/** Options of `createFetchHandler`. */
export interface FetchHandlerOptions {
  /** Path to which tasks are posted. Pictures are at `<path>/media/<uuid>.<extension>`. Default: `/v1`. */
  readonly path?: string | undefined;
  /** The key that requests need. Default: none; every request is accepted. */
  readonly apiKey?: string | undefined;
  /** Most bytes of a body; larger ones are answered with 413. Default: 64 MiB. */
  readonly maxBodyBytes?: number | undefined;
  /** Source of pictures, such as `media` of the task runner. Default: none. */
  readonly media?: MediaSource | undefined;
}

/** Answers a request. Rejects only with the reason of the request's signal, as `fetch` does. */
export type FetchHandler = (request: Request) => Promise<Response>;

/** The options, prepared. */
interface Setup {
  readonly runner: TaskRunner;
  readonly isKey: (given: unknown) => boolean;
  readonly maxBodyBytes: number;
}

/**
 * Makes a handler for HTTP requests of the hosted API: `POST <path>` with a task or an array of tasks, and
 * `GET <path>/media/…`.
 *
 * ```ts
 * const runner = createTaskRunner();
 * const handler = createFetchHandler(runner, { apiKey: "secret", media: runner.media });
 * export default { fetch: handler };
 * ```
 *
 * The answer is `{ data, errors }` without empty members, because clients test for `errors`: 200 with any data, 400 with
 * errors only. 401: wrong key. 404, 405, 413, 415: not a request of this API.
 */
export function createFetchHandler(runner: TaskRunner, options: FetchHandlerOptions = {}): FetchHandler {
  const { path = "/v1", apiKey, maxBodyBytes = MAX_REQUEST_BYTES, media } = options;
  const setup: Setup = { runner, isKey: keyCheck(apiKey), maxBodyBytes };
  return async (request) => {
    const { pathname } = new URL(request.url);
    const uuid = mediaUuid(path, pathname);
    if (uuid !== undefined) return mediaResponse(request, media, uuid);
    if (pathname !== path) return refusal(404, "notFound", `There is nothing at ${pathname}; tasks go to ${path}.`);
    if (request.method !== "POST") return wrongMethod("POST");
    if (!isJson(request.headers))
      return refusal(415, "unsupportedMediaType", "Tasks are sent as Content-Type: application/json, not encoded.");
    return answer(setup, request);
  };
}

async function answer({ runner, isKey, maxBodyBytes }: Setup, request: Request): Promise<Response> {
  const { signal } = request;
  try {
    const body = await readLimitedBody(request, maxBodyBytes);
    if (!body) return refusal(413, "requestTooLarge", `A request has up to ${maxBodyBytes} bytes.`);
    const list = parseTaskList(decode(body));
    const tasks = list.filter((task) => taskTypeOf(task) !== "authentication");
    const keys = list.filter((task) => taskTypeOf(task) === "authentication").map(apiKeyOf);
    if (![bearerKey(request.headers), ...keys].some((key) => isKey(key)))
      return respond(401, { errors: [invalidApiKey()] }, { "www-authenticate": "Bearer" });
    return fromTasks(await runWhile(signal, (aborted) => runner.runTasks(tasks, { signal: aborted })));
  } catch (error) {
    signal.throwIfAborted();
    const status = error instanceof TaskError ? 400 : 500;
    return respond(status, { errors: toApiErrors(error, {}) });
  }
}

/** Forwards aborts of the request only until its answer: an asynchronous task continues after it. */
async function runWhile<T>(signal: AbortSignal, run: (aborted: AbortSignal) => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const controller = new AbortController();
  const abort = (): void => controller.abort(signal.reason);
  signal.addEventListener("abort", abort);
  try {
    return await run(controller.signal);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

function fromTasks({ data, errors }: TaskResponse): Response {
  if (errors.length === 0) return respond(200, { data });
  return data.length > 0 ? respond(200, { data, errors }) : respond(400, { errors });
}

/** A form of a foreign page could send other types without a preflight request. */
function isJson(headers: Headers): boolean {
  const isPlain = (headers.get("content-encoding") ?? "identity").toLowerCase() === "identity";
  return isPlain && /^application\/json\s*(;|$)/i.test(headers.get("content-type") ?? "");
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new TaskError([{ code: "invalidJSON", message: "The request is not UTF-8." }], { cause });
  }
}

function apiKeyOf(task: unknown): unknown {
  return (task as { readonly apiKey?: unknown }).apiKey;
}
