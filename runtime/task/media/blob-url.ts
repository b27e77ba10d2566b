import { KleinbildError } from "../../errors.ts";
import { withDeadline } from "../net/deadline.ts";
import { type LimitedFetchOptions, MAX_FETCHED_BYTES, readLimited } from "../net/limited-fetch.ts";

const TIMEOUT_MS = 30_000;

/**
 * The bytes of an object URL of this page or process.
 *
 * @throws KleinbildError `network` as limitedFetch; or the reason of the signal
 */
export async function readBlobUrl(
  address: string,
  { signal, limits, allowHost }: LimitedFetchOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const { maxBytes = MAX_FETCHED_BYTES, timeoutMs = TIMEOUT_MS } = limits ?? {};
  const url = new URL(address);
  if (allowHost && !(await allowHost(url)))
    throw new KleinbildError("network", "Object URLs are not read here.", { reason: "refused" });
  return withDeadline(timeoutMs, signal, async (inner) => {
    let response: Response;
    try {
      response = await fetch(address, { signal: inner });
    } catch (cause) {
      inner.throwIfAborted();
      throw new KleinbildError(
        "network",
        `${address} cannot be read: it was revoked, or belongs to another page.`,
        { reason: "unreachable" },
        { cause },
      );
    }
    return readLimited(response, url, maxBytes, inner);
  });
}
