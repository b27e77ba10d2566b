import type { ApiError } from "../schema/api-error.ts";
import type { ResponseItem } from "../schema/response.ts";

/** The hosted API's answer. Empty members are left out, because clients test for `errors`. */
export interface ApiAnswer {
  readonly data?: readonly ResponseItem[] | undefined;
  readonly errors?: readonly ApiError[] | undefined;
}

/** An answer as JSON. */
export function respond(status: number, answer: ApiAnswer, headers?: HeadersInit): Response {
  const all = new Headers(headers);
  all.set("content-type", "application/json");
  all.set("cache-control", "no-store");
  return new Response(JSON.stringify(answer), { status, headers: all });
}

/** An answer with one error, for requests that are no tasks. */
export function refusal(status: number, code: string, message: string, headers?: HeadersInit): Response {
  return respond(status, { errors: [{ code, message }] }, headers);
}

/** 405, with the allowed methods. */
export function wrongMethod(allow: string): Response {
  return refusal(405, "methodNotAllowed", `The method must be ${allow}.`, { allow });
}
