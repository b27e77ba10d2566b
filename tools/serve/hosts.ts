import { hostname, networkInterfaces } from "node:os";

const WILDCARDS: ReadonlySet<string> = new Set(["0.0.0.0", "::"]);

/** Whether only its own machine reaches a server on this address. Any other name may resolve to anything. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

/** Whether the address means all addresses of the machine. */
export function isWildcard(host: string): boolean {
  return WILDCARDS.has(host);
}

/** A name or address as written in a URL. */
export function inUrl(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

/**
 * The names that the Host header of a request to a server on `host` may have. With DNS rebinding, another site's name
 * resolves to this machine, and the header has that name.
 *
 * @param more  further names, such as the name of a proxy
 */
export function hostNames(host: string, more: readonly string[] = []): ReadonlySet<string> {
  const own = isWildcard(host) ? ownNames() : [host];
  const loopback = isLoopback(host) || isWildcard(host) ? ["localhost", "127.0.0.1", "::1"] : [];
  return new Set([...own, ...loopback, ...more].map((name) => name.toLowerCase()));
}

/** The name in a `Host` header, without brackets and port; undefined if the header is invalid. */
export function hostName(header: string | undefined): string | undefined {
  const name = /^(\[[\da-f:.]+\]|[\w.-]+)(:\d{1,5})?$/i.exec(header ?? "")?.[1];
  return name?.replace(/^\[(.*)\]$/, "$1").toLowerCase();
}

function ownNames(): readonly string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return [hostname(), ...addresses.map(({ address }) => address)];
}
