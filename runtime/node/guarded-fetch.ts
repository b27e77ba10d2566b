import { lookup as systemLookup, type LookupAddress, type LookupOptions } from "node:dns";
import { type IncomingMessage, request as httpRequest, type RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import { Readable } from "node:stream";
import { KleinbildError } from "../errors.ts";
import { isPublicIp } from "./address-policy.ts";
import type { Fetch } from "../task/net/limited-fetch.ts";

/** Finds all addresses of a name. Written out so that the package's types do not need Node's. */
export type LookupAll = (
  host: string,
  options: { readonly all: true },
  done: (error: Error | null, addresses: { address: string; family: number }[]) => void,
) => void;

/** Options of `guardedFetch`. */
export interface GuardOptions {
  /** Which IP addresses may be connected to. Default: those on the public internet. */
  readonly allowIp?: ((ip: string) => boolean) | undefined;
  /** Default: the system's. */
  readonly lookup?: LookupAll | undefined;
}

const NO_BODY_STATUSES: ReadonlySet<number> = new Set([204, 205, 304]);

/**
 * A `fetch` for servers that fetch addresses which clients name: it connects to allowed IP addresses only. It checks the
 * address that the connection uses, so a name cannot resolve to another one after the check. It returns redirects instead of
 * following them. Bodies must be strings or bytes.
 *
 * ```ts
 * const runner = createTaskRunner({ fetch: guardedFetch() });
 * ```
 *
 * @returns throws a KleinbildError `network` for an address that is not allowed
 */
export function guardedFetch({ allowIp = isPublicIp, lookup = systemLookup }: GuardOptions = {}): Fetch {
  const guardedLookup = (
    host: string,
    options: LookupOptions,
    done: (error: Error | null, address: string | LookupAddress[], family?: number) => void,
  ): void =>
    lookup(host, { ...options, all: true }, (error, addresses) => {
      if (error) return done(error, []);
      const refused = addresses.find(({ address }) => !allowIp(address));
      if (refused) return done(refusal(host), []);
      return options.all === true ? done(null, addresses) : done(null, addresses[0]!.address, addresses[0]!.family);
    });
  return async (address, { method = "GET", headers, body, signal }) => {
    const url = new URL(address);
    const ip = url.hostname.replace(/^\[(.*)\]$/, "$1");
    // an IP address is connected to without a lookup
    if ((ip !== url.hostname || /^[\d.]+$/.test(ip)) && !allowIp(ip)) throw refusal(ip);
    const response = await send(url, body, {
      method,
      headers: { "accept-encoding": "identity", ...Object.fromEntries(new Headers(headers)) },
      lookup: guardedLookup,
      agent: false, // no shared connections: they were not checked
      ...(signal && { signal }),
    });
    const { statusCode = 0 } = response;
    return new Response(
      NO_BODY_STATUSES.has(statusCode) ? null : (Readable.toWeb(response) as ReadableStream<Uint8Array<ArrayBuffer>>),
      { status: statusCode, headers: new Headers(headerPairs(response)) },
    );
  };
}

function send(url: URL, body: unknown, options: RequestOptions): Promise<IncomingMessage> {
  const start = url.protocol === "https:" ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const request = start(url, options, resolve);
    request.on("error", reject);
    request.end(typeof body === "string" || body instanceof Uint8Array ? body : undefined);
  });
}

function headerPairs({ rawHeaders }: IncomingMessage): [string, string][] {
  const pairs: [string, string][] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) pairs.push([rawHeaders[i]!, rawHeaders[i + 1]!]);
  return pairs;
}

function refusal(host: string): KleinbildError {
  return new KleinbildError("network", `${host} is not on the public internet.`, { reason: "refused", host });
}
