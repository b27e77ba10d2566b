import { KleinbildError } from "../../errors.ts";
import { type ApiError, fieldCode, TaskError } from "../schema/api-error.ts";
import { decodeBase64 } from "./base64.ts";
import { readBlobUrl } from "./blob-url.ts";
import { decodeDataUri } from "./data-uri.ts";
import { describeForeignBytes, type ImageHeader, readImageHeader } from "./image-header.ts";
import { limitedFetch, type LimitedFetchOptions, MAX_FETCHED_BYTES, type FetchLimits } from "../net/limited-fetch.ts";
import type { MediaStore } from "./media-store.ts";

interface ReferenceLimits extends FetchLimits {
  /** Most pixels, checked before decoding. Default: 64 million. */
  readonly maxPixels?: number | undefined;
}

export interface ReferenceOptions extends LimitedFetchOptions {
  /** Earlier outputs and uploads. */
  readonly store: MediaStore;
  /** `maxBytes` also limits data URIs and base64. */
  readonly limits?: ReferenceLimits | undefined;
  /** Base of addresses such as `./cat.png`. Default: they are refused. */
  readonly baseUrl?: string | undefined;
  /** Name of the field in errors. Default: `inputs.referenceImages`. */
  readonly parameter?: string | undefined;
}

/** A picture of a task, not decoded. */
export interface ReferencePicture {
  readonly bytes: Uint8Array;
  readonly type: ImageHeader["type"];
}

/** A UUID of any version. Read as URL-safe base64 it would be 27 bytes, too few for a picture. */
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;
const MAX_REFERENCE_PIXELS = 64_000_000;

/**
 * The bytes of a picture that a task names. The first case that fits applies:
 *
 * 1. `8-4-4-4-12` hexadecimal digits: the UUID of an earlier output or upload;
 * 2. `data:…`: a data URI, in base64 or percent-encoded;
 * 3. an address that `store` made: its picture, without a request;
 * 4. `http:`, `https:`: fetched within limits; `blob:`: read, if the platform has it and `allowHost` allows it;
 * 5. with `baseUrl`, text that begins with `/`, `./` or `../` and has a character that base64 lacks: a relative address;
 * 6. otherwise base64, of either alphabet, with or without padding and white space.
 *
 * The number of pixels is limited here, because decoding uses memory. The engine checks that the picture is large enough and
 * not too elongated.
 *
 * @throws TaskError `failedToTransferImage` if the picture cannot be fetched, `invalid…` with the name of the field if it is
 *         no picture or exceeds a limit; or the reason of the signal
 */
export async function resolveReference(input: string, options: ReferenceOptions): Promise<Uint8Array> {
  return (await resolvePicture(input, options)).bytes;
}

/** The same, with the type of the picture. */
export async function resolvePicture(input: string, options: ReferenceOptions): Promise<ReferencePicture> {
  const { parameter = "inputs.referenceImages" } = options;
  options.signal?.throwIfAborted();
  try {
    const bytes = await readInput(input.trim(), options);
    return checkPicture(bytes, options.limits?.maxPixels ?? MAX_REFERENCE_PIXELS);
  } catch (error) {
    options.signal?.throwIfAborted();
    if (error instanceof KleinbildError) throw new TaskError([toApiError(error, parameter)], { cause: error });
    throw error;
  }
}

/**
 * All references of a task in order, read at the same time.
 *
 * @throws TaskError with one error for each reference that fails, which has its index; or the reason of the signal
 */
export async function resolveReferences(
  inputs: readonly string[],
  options: ReferenceOptions,
): Promise<readonly Uint8Array[]> {
  const { parameter = "inputs.referenceImages" } = options;
  const settled = await Promise.allSettled(
    inputs.map(async (input, i) => resolveReference(input, { ...options, parameter: `${parameter}[${i}]` })),
  );
  options.signal?.throwIfAborted();
  const errors: ApiError[] = [];
  for (const result of settled) {
    if (result.status === "fulfilled") continue;
    if (!(result.reason instanceof TaskError)) throw result.reason;
    errors.push(...result.reason.errors);
  }
  const [first, ...others] = errors;
  if (first) throw new TaskError([first, ...others]);
  return settled.map((result) => (result as PromiseFulfilledResult<Uint8Array>).value);
}

/** Whether only this machine can read an input: a picture of the store, or an object URL. */
export function isLocalInput(input: string, store: MediaStore): boolean {
  const text = input.trim();
  return (
    /^blob:/i.test(text) || store.getByUrl(text) !== undefined || (UUID.test(text) && store.get(text) !== undefined)
  );
}

async function readInput(text: string, options: ReferenceOptions): Promise<Uint8Array> {
  const { store, baseUrl, limits: { maxBytes = MAX_FETCHED_BYTES } = {} } = options;
  if (text === "") throw invalid("It is empty; it must be a UUID, an address, a data URI or base64.");
  if (UUID.test(text)) {
    const media = store.get(text);
    if (media) return media.bytes;
    throw unavailable(
      `There is no picture with the UUID ${text}: it was never stored here, it expired, or it was dropped to make room.`,
    );
  }
  if (/^data:/i.test(text)) return assertBytes(decodeDataUri(text), maxBytes);
  const own = store.getByUrl(text);
  if (own) return own.bytes;
  const scheme = /^([a-z][a-z\d+.-]*):/i.exec(text)?.[1]?.toLowerCase();
  if (scheme === "blob") return readBlobUrl(text, options);
  if (scheme !== undefined) return limitedFetch(text, options);
  if (baseUrl !== undefined && /^\.{0,2}\//.test(text) && /[^\w+/=-]/.test(text) && URL.canParse(text, baseUrl))
    return limitedFetch(new URL(text, baseUrl).href, options);
  return assertBytes(decodeBase64(text), maxBytes);
}

function checkPicture(bytes: Uint8Array, maxPixels: number): ReferencePicture {
  const header = readImageHeader(bytes);
  if (!header)
    throw invalid(`It must be a PNG, JPEG or WEBP picture; it is ${describeForeignBytes(bytes)}.`, {
      bytes: bytes.length,
    });
  const { type, size } = header;
  if (!size) throw invalid(`It begins like ${type} but its header is damaged or cut off.`, { bytes: bytes.length });
  const { width, height } = size;
  if (width * height > maxPixels)
    throw invalid(`It has ${width} x ${height} pixels; at most ${maxPixels} are read.`, {
      width,
      height,
      max: maxPixels,
    });
  return { bytes, type };
}

function assertBytes(bytes: Uint8Array, max: number): Uint8Array {
  if (bytes.length > max) throw invalid(`It has ${bytes.length} bytes; at most ${max} are read.`, { max });
  return bytes;
}

function invalid(message: string, details: Readonly<Record<string, number>> = {}): KleinbildError {
  return new KleinbildError("invalid-image", message, details);
}

function unavailable(message: string): KleinbildError {
  return new KleinbildError("network", message, { reason: "unknown" });
}

/** Reasons of limitedFetch for which the input is to blame, not the network. */
const REFUSED: ReadonlySet<unknown> = new Set(["protocol", "refused", "bytes"]);

function toApiError({ code, message, details }: KleinbildError, parameter: string): ApiError {
  const failed = code === "network" && !REFUSED.has(details["reason"]);
  const max = details["max"];
  return {
    code: failed ? "failedToTransferImage" : fieldCode("invalid", parameter),
    message: `${parameter}: ${message}`,
    parameter,
    type: "string",
    ...(typeof max === "number" && { max }),
  };
}
