import { type ErrorDetails, KleinbildError } from "../../errors.ts";
import { isTimeout, withDeadline } from "./deadline.ts";
import { joinChunks } from "../../weights/sources/http-response.ts";

/** The signature of `fetch` that is used. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/**
 * Decides whether an address may be fetched. A server refuses addresses of its own network (see `guardedFetch`). Called for
 * every address in a chain of redirects.
 */
export type AllowHost = (url: URL) => boolean | Promise<boolean>;

/** Limits of a request. */
export interface FetchLimits {
  /** Most bytes of the body, decompressed. Default: 32 MiB. */
  readonly maxBytes?: number | undefined;
  /** Most redirects. Default: 5. */
  readonly maxRedirects?: number | undefined;
  /** Longest time from the first request to the last byte. Default: 30 seconds. */
  readonly timeoutMs?: number | undefined;
}

/** Options of `limitedFetch`. */
export interface LimitedFetchOptions {
  /** Default: the platform's. */
  readonly fetch?: Fetch | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly limits?: FetchLimits | undefined;
  /** Default: allows every http and https address. */
  readonly allowHost?: AllowHost | undefined;
}

export const MAX_FETCHED_BYTES = 32 << 20;
const MAX_REDIRECTS = 5;
const TIMEOUT_MS = 30_000;
const REFUSED = "is not an address that may be fetched from here";
const REDIRECT_STATUSES: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * Fetches the bytes at an http or https address, within limits.
 *
 * Browsers do not show where a redirect leads. They follow it themselves, up to 20 times; with `allowHost`, which could not
 * check it, it is refused.
 *
 * @throws KleinbildError `network`, whose `details.reason` is `protocol`, `refused`, `unreachable`, `status`, `redirects`,
 *         `bytes`, `cut` or `timeout`; or the reason of the signal
 */
export async function limitedFetch(
  address: string,
  options: LimitedFetchOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const { maxBytes = MAX_FETCHED_BYTES, timeoutMs = TIMEOUT_MS } = options.limits ?? {};
  if (!URL.canParse(address)) throw failure(address, "protocol", "is no address");
  const url = new URL(address);
  try {
    return await withDeadline(timeoutMs, options.signal, async (signal) => {
      const response = await follow(url, options, signal);
      return readLimited(response, url, maxBytes, signal);
    });
  } catch (error) {
    options.signal?.throwIfAborted();
    if (isTimeout(error)) throw failure(url, "timeout", `did not send everything within ${timeoutMs / 1000} s`);
    throw error;
  }
}

/** Reads a body, counting its bytes. @throws KleinbildError `network` with the reason `bytes` or `cut`, or the signal's reason */
export async function readLimited(
  response: Response,
  url: URL,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const announced = Number(response.headers.get("content-length") ?? 0);
  if (announced > maxBytes) {
    discardResponse(response);
    throw tooManyBytes(url, `announces ${announced} bytes`, maxBytes);
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = response.body?.getReader();
  while (reader) {
    const { done, value } = await reader.read().catch((cause: unknown) => {
      signal.throwIfAborted();
      throw failure(url, "cut", `was cut off after ${length} bytes`, {}, cause);
    });
    if (done) break;
    length += value.length;
    if (length > maxBytes) {
      reader.cancel().catch(IGNORE);
      throw tooManyBytes(url, `sends more than ${maxBytes} bytes`, maxBytes);
    }
    chunks.push(value);
  }
  return joinChunks(chunks, length);
}

/** An address for messages: without query and password, which may be secrets. */
export function publicAddress(address: URL | string): string {
  const url = typeof address === "string" && URL.canParse(address) ? new URL(address) : address;
  const shown = url instanceof URL ? `${url.protocol}//${url.host}${url.pathname}` : url;
  return shown.length > 200 ? `${shown.slice(0, 200)}…` : shown;
}

/** Why a connection failed, if the platform says so: `ENOTFOUND`, `ECONNREFUSED`. Browsers do not. */
export function connectionProblem(error: unknown): string {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { code } = cause as { readonly code?: unknown };
    if (code === "ENOTFOUND") return ": its name cannot be resolved (ENOTFOUND)";
    if (typeof code === "string") return `: ${code}`;
  }
  return "";
}

/** Ends a response whose body is not read. */
export function discardResponse(response: Response): void {
  response.body?.cancel().catch(IGNORE);
}

/** Errors of a connection that is no longer needed do not matter. */
const IGNORE = (): void => {};

async function follow(start: URL, options: LimitedFetchOptions, signal: AbortSignal): Promise<Response> {
  const { maxRedirects = MAX_REDIRECTS } = options.limits ?? {};
  for (let url = start, redirects = 0; ; redirects++) {
    await assertAllowed(url, options.allowHost);
    const response = await request(url, "manual", options, signal);
    if (response.type === "opaqueredirect") return followUnseen(url, options, signal);
    if (!REDIRECT_STATUSES.has(response.status)) return assertOk(response, url);
    const location = response.headers.get("location") ?? "";
    discardResponse(response);
    if (location === "" || !URL.canParse(location, url))
      throw failure(url, "redirects", `redirects to no address (status ${response.status})`);
    if (redirects >= maxRedirects)
      throw failure(start, "redirects", `redirects more than ${maxRedirects} times`, { max: maxRedirects });
    url = new URL(location, url);
  }
}

/** Lets the browser follow a redirect: a page cannot see where it leads. */
async function followUnseen(url: URL, options: LimitedFetchOptions, signal: AbortSignal): Promise<Response> {
  if (options.allowHost) throw failure(url, "refused", "redirects to an address that cannot be checked here");
  return assertOk(await request(url, "follow", options, signal), url);
}

async function assertAllowed(url: URL, allowHost: AllowHost | undefined): Promise<void> {
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw failure(
      url,
      "protocol",
      "cannot be fetched: only http and https addresses can; give a file as data URI or base64",
    );
  if (allowHost && !(await allowHost(url))) throw failure(url, "refused", REFUSED);
}

async function request(
  url: URL,
  redirect: "manual" | "follow",
  { fetch: send = fetch }: LimitedFetchOptions,
  signal: AbortSignal,
): Promise<Response> {
  try {
    return await send(url.href, { redirect, signal });
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof KleinbildError) throw failure(url, "refused", REFUSED, {}, cause);
    throw failure(url, "unreachable", `could not be reached${connectionProblem(cause)}`, {}, cause);
  }
}

function assertOk(response: Response, url: URL): Response {
  if (response.ok) return response;
  discardResponse(response);
  const { status } = response;
  throw failure(url, "status", `answered with status ${status}`, { status });
}

function tooManyBytes(url: URL, what: string, max: number): KleinbildError {
  return failure(url, "bytes", `${what}; at most ${max} are read`, { max });
}

type Reason = "protocol" | "refused" | "unreachable" | "status" | "redirects" | "bytes" | "cut" | "timeout";

function failure(
  url: URL | string,
  reason: Reason,
  what: string,
  details: ErrorDetails = {},
  cause?: unknown,
): KleinbildError {
  const host = url instanceof URL ? { host: url.host } : {};
  return new KleinbildError("network", `${publicAddress(url)} ${what}.`, { reason, ...host, ...details }, { cause });
}
