import { KleinbildError } from "../../../errors.ts";
import {
  discardBody,
  HTTP_ABSENT,
  HTTP_BUSY,
  HTTP_PARTIAL,
  HTTP_RANGE_NOT_SATISFIABLE,
  isCompressed,
  isHtmlPage,
  sentRange,
} from "../../sources/http-response.ts";

/** Identifies a version of a file at a server. */
export interface Validator {
  readonly etag?: string | undefined;
  readonly lastModified?: string | undefined;
}

export interface RangeRequest {
  readonly url: string;
  /** The file's path within the model, for errors. */
  readonly path: string;
  /** Bytes `from … to − 1`; the whole file if absent. */
  readonly range?: { readonly from: number; readonly to: number };
  /** The version that the range must belong to. The server sends the whole file if it has another one. */
  readonly expected: Validator;
}

export interface RangeAnswer {
  readonly response: Response;
  /** True if the body is the range, false if it is the whole file. */
  readonly partial: boolean;
  /** Bytes of the whole file; undefined if the server sends it without a length. */
  readonly size: number | undefined;
  readonly validator: Validator;
}

/** A failure that another try may fix. */
export class Retriable extends Error {
  /** Milliseconds that the server asked to wait. */
  readonly afterMs: number | undefined;

  constructor(message: string, options: { readonly cause?: unknown; readonly afterMs?: number | undefined } = {}) {
    super(message, { cause: options.cause });
    this.afterMs = options.afterMs;
  }
}

/** @throws Retriable, KleinbildError `missing-file` or `network`, or the signal's reason */
export async function requestRange(request: RangeRequest, signal: AbortSignal): Promise<RangeAnswer> {
  const { url, path, range } = request;
  const response = await fetchRange(request, signal);
  const { status, ok, headers } = response;
  const validator = {
    etag: headers.get("etag") ?? undefined,
    lastModified: headers.get("last-modified") ?? undefined,
  };
  if (status === HTTP_PARTIAL && range) {
    const sent = sentRange(response, range.from, range.to - range.from);
    if (sent) return { response, partial: true, size: sent.size, validator };
    discardBody(response);
    const contentRange = headers.get("content-range") ?? "";
    throw failure(request, `sent "${contentRange}" for the range bytes=${range.from}-${range.to - 1}`);
  }
  if (status === HTTP_RANGE_NOT_SATISFIABLE) {
    discardBody(response);
    return { response, partial: false, size: 0, validator: {} }; // the file is shorter now, so it is another version
  }
  const isPage = isHtmlPage(response);
  if (ok && !isPage) {
    const length = isCompressed(response) ? null : headers.get("content-length");
    return { response, partial: false, size: length === null ? undefined : Number(length), validator };
  }
  discardBody(response);
  if (HTTP_ABSENT.has(status) || ok) {
    const reason = ok ? "the server sent an HTML page" : `status ${status}`;
    throw new KleinbildError("missing-file", `${url} does not exist (${reason}).`, { path, status });
  }
  if (HTTP_BUSY.has(status))
    throw new Retriable(`${url} answered with status ${status}`, { afterMs: retryAfter(response) });
  throw failure(request, `answered with status ${status}`);
}

async function fetchRange({ url, path, range, expected }: RangeRequest, signal: AbortSignal): Promise<Response> {
  const headers = new Headers();
  if (range) {
    headers.set("range", `bytes=${range.from}-${range.to - 1}`);
    const condition = isStrong(expected.etag) ? expected.etag : expected.lastModified;
    if (condition !== undefined) headers.set("if-range", condition);
  }
  try {
    return await fetch(url, { headers, signal });
  } catch (cause) {
    signal.throwIfAborted();
    throw new Retriable(`${path} could not be reached at ${url}`, { cause });
  }
}

function failure({ path, url }: RangeRequest, what: string): KleinbildError {
  return new KleinbildError("network", `${path}: ${url} ${what}.`, { path, url });
}

const isStrong = (etag: string | undefined): boolean => etag !== undefined && !etag.startsWith("W/");

/** Whether two validators belong to different versions. Without comparable fields they count as the same. */
export function differs(a: Validator, b: Validator): boolean {
  if (a.etag !== undefined && b.etag !== undefined) return a.etag !== b.etag;
  return a.lastModified !== undefined && b.lastModified !== undefined && a.lastModified !== b.lastModified;
}

/** The header Retry-After in milliseconds, at most a minute. */
function retryAfter(response: Response): number | undefined {
  const text = response.headers.get("retry-after");
  if (text === null) return undefined;
  const seconds = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, Math.min(60, seconds)) * 1000 : undefined;
}
