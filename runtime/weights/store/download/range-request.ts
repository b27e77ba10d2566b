import { KleinbildError } from "../../../errors.ts";

/** What identifies a version of a file at a server. */
export interface Validator {
  readonly etag?: string | undefined;
  readonly lastModified?: string | undefined;
}

/** The answer to a request for bytes of a file. */
export interface RangeAnswer {
  readonly response: Response;
  /** Whether the bytes asked for come, or the whole file. */
  readonly partial: boolean;
  /** Of the whole file; undefined where a whole file is sent without its length. */
  readonly size: number | undefined;
  readonly validator: Validator;
}

/** A failure that another try may mend. */
export class Retriable extends Error {
  readonly afterMs: number | undefined;

  constructor(message: string, options: { readonly cause?: unknown; readonly afterMs?: number | undefined } = {}) {
    super(message, { cause: options.cause });
    this.afterMs = options.afterMs;
  }
}

const PARTIAL = 206;
const NOT_SATISFIABLE = 416;
const ABSENT: ReadonlySet<number> = new Set([404, 410]);
const BUSY: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

/**
 * Asks for bytes `from … to − 1` of a file, or for all of it where there is no `from`.
 *
 * @param expected  the version that they must be of: otherwise the server sends the whole file
 * @throws Retriable, or KleinbildError `missing-file`, `network`
 */
export async function requestRange(
  url: string,
  path: string,
  range: { readonly from: number; readonly to: number } | undefined,
  expected: Validator,
  signal: AbortSignal,
): Promise<RangeAnswer> {
  const headers = new Headers();
  if (range) {
    headers.set("range", `bytes=${range.from}-${range.to - 1}`);
    const condition = isStrong(expected.etag) ? expected.etag : expected.lastModified;
    if (condition !== undefined) headers.set("if-range", condition);
  }
  let response: Response;
  try {
    response = await fetch(url, { headers, signal });
  } catch (cause) {
    signal.throwIfAborted();
    throw new Retriable(`${path} could not be reached at ${url}`, { cause });
  }
  const { status } = response;
  const validator = {
    etag: response.headers.get("etag") ?? undefined,
    lastModified: response.headers.get("last-modified") ?? undefined,
  };
  if (status === PARTIAL && range) {
    const sent = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(response.headers.get("content-range") ?? "");
    const [from, last, size] = (sent ?? []).slice(1).map(Number) as [number?, number?, number?];
    if (size !== undefined && from === range.from && last === Math.min(range.to, size) - 1)
      return { response, partial: true, size, validator };
    discardBody(response);
    throw failure(
      path,
      url,
      `sent "${response.headers.get("content-range") ?? ""}" for the range ${headers.get("range")}`,
    );
  }
  if (status === NOT_SATISFIABLE) {
    discardBody(response);
    return { response, partial: false, size: 0, validator: {} }; // it is shorter now: another version
  }
  const isPage = response.headers.get("content-type")?.startsWith("text/html") === true;
  if (response.ok && !isPage) {
    const length = response.headers.get("content-encoding") ? null : response.headers.get("content-length");
    return { response, partial: false, size: length === null ? undefined : Number(length), validator };
  }
  discardBody(response);
  if (ABSENT.has(status) || response.ok)
    throw new KleinbildError(
      "missing-file",
      `${url} is not there (${response.ok ? "a page came" : `status ${status}`}).`,
      {
        path,
        status,
      },
    );
  if (BUSY.has(status)) throw new Retriable(`${url} answered with status ${status}`, { afterMs: retryAfter(response) });
  throw failure(path, url, `answered with status ${status}`);
}

export function discardBody(response: Response): void {
  response.body?.cancel().catch(() => {}); // how a connection ends that is given up does not matter
}

function failure(path: string, url: string, what: string): KleinbildError {
  return new KleinbildError("network", `${path}: ${url} ${what}.`, { path, url });
}

const isStrong = (etag: string | undefined): boolean => etag !== undefined && !etag.startsWith("W/");

/** Whether two answers are of different versions, as far as they tell. */
export function differs(a: Validator, b: Validator): boolean {
  if (a.etag !== undefined && b.etag !== undefined) return a.etag !== b.etag;
  return a.lastModified !== undefined && b.lastModified !== undefined && a.lastModified !== b.lastModified;
}

/** Milliseconds that a server asks to wait. */
function retryAfter(response: Response): number | undefined {
  const text = response.headers.get("retry-after");
  if (text === null) return undefined;
  const seconds = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, Math.min(60, seconds)) * 1000 : undefined;
}
