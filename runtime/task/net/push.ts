import pRetry from "p-retry";
import { KleinbildError } from "../../errors.ts";
import { isTimeout, withDeadline } from "./deadline.ts";
import { type AllowHost, connectionProblem, discardResponse, type Fetch, publicAddress } from "./limited-fetch.ts";

/** How results are sent to the addresses in tasks. */
export interface PushOptions {
  /** Default: the platform's. */
  readonly fetch?: Fetch | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Default: every http and https address. */
  readonly allowHost?: AllowHost | undefined;
  /** Number of attempts. Default: 3. */
  readonly attempts?: number | undefined;
  /** Milliseconds before the second attempt; twice as many before the third. A random factor of 1 to 2 applies. Default: 500. */
  readonly retryDelayMs?: number | undefined;
  /** Longest time of one attempt. Default: 10 seconds for webhooks, 60 seconds for uploads. */
  readonly timeoutMs?: number | undefined;
}

interface Push {
  readonly method: "POST" | "PUT";
  readonly address: string;
  readonly contentType: string;
  readonly body: string | Uint8Array<ArrayBuffer>;
  readonly timeoutMs: number;
}

const ATTEMPTS = 3;
const RETRY_DELAY_MS = 500;
const WEBHOOK_TIMEOUT_MS = 10_000;
const UPLOAD_TIMEOUT_MS = 60_000;
const TOO_MANY_REQUESTS = 429;

/** An attempt that failed; the message completes "The webhook at … ". */
class PushFailure extends Error {
  readonly retry: boolean;

  constructor(message: string, retry: boolean) {
    super(message);
    this.retry = retry;
  }
}

/**
 * Posts JSON.
 *
 * @returns undefined, or what went wrong as a sentence
 * @throws the reason of the signal
 */
export function postJson(address: string, value: unknown, options: PushOptions = {}): Promise<string | undefined> {
  const { timeoutMs = WEBHOOK_TIMEOUT_MS } = options;
  const push = { method: "POST", contentType: "application/json", timeoutMs } as const;
  return send("The webhook", { ...push, address, body: JSON.stringify(value) }, options);
}

/** Uploads the bytes of a picture by PUT; otherwise as `postJson`. */
export function putBytes(
  address: string,
  { bytes, type }: { readonly bytes: Uint8Array<ArrayBuffer>; readonly type: string },
  options: PushOptions = {},
): Promise<string | undefined> {
  const { timeoutMs = UPLOAD_TIMEOUT_MS } = options;
  return send("The upload", { method: "PUT", contentType: type, timeoutMs, address, body: bytes }, options);
}

/**
 * Tries again after network errors, timeouts, status 429 and statuses from 500 up. Does not follow redirects, which would
 * send the body to an address that no task named.
 */
async function send(what: string, push: Push, options: PushOptions): Promise<string | undefined> {
  const { signal, attempts = ATTEMPTS, retryDelayMs = RETRY_DELAY_MS } = options;
  signal?.throwIfAborted();
  let tried = 0;
  try {
    await pRetry(
      () => {
        tried++;
        return attempt(push, options);
      },
      {
        retries: attempts - 1,
        minTimeout: retryDelayMs,
        randomize: true,
        ...(signal && { signal }),
        shouldRetry: ({ error }) => error instanceof PushFailure && error.retry,
      },
    );
    return undefined;
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof PushFailure)) throw error;
    const times = tried === 1 ? "" : ` (${tried} attempts)`;
    return `${what} to ${publicAddress(push.address)} failed: ${error.message}${times}.`;
  }
}

async function attempt(push: Push, { fetch: request = fetch, allowHost, signal }: PushOptions): Promise<void> {
  const { method, address, contentType, body, timeoutMs } = push;
  const url = parse(address);
  if (!url || !/^https?:$/.test(url.protocol)) throw new PushFailure("it is no http or https address", false);
  let response: Response;
  try {
    response = await withDeadline(timeoutMs, signal, async (inner) => {
      if (allowHost && !(await allowHost(url))) throw new PushFailure("it may not be reached from here", false);
      const headers = { "content-type": contentType };
      return request(url.href, { method, headers, body, redirect: "manual", signal: inner });
    });
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof PushFailure) throw error;
    if (error instanceof KleinbildError) throw new PushFailure("it may not be reached from here", false);
    if (isTimeout(error)) throw new PushFailure(`it did not answer within ${timeoutMs / 1000} s`, true);
    throw new PushFailure(`it could not be reached${connectionProblem(error)}`, true);
  }
  discardResponse(response);
  const { ok, status, type } = response;
  if (ok) return;
  if (type === "opaqueredirect" || (status >= 300 && status < 400))
    throw new PushFailure("it redirects, which is not followed; give the final address", false);
  throw new PushFailure(`it answered with status ${status}`, status === TOO_MANY_REQUESTS || status >= 500);
}

function parse(address: string): URL | undefined {
  return URL.canParse(address) ? new URL(address) : undefined;
}
