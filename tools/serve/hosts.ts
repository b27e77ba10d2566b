import { hostname, networkInterfaces } from "node:os";

const WILDCARDS: ReadonlySet<string> = new Set(["0.0.0.0", "::"]);

/** Whether a server on this address is reached from its own machine only. Other names may resolve to anything. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

/** Whether it stands for all addresses of the machine. */
export function isWildcard(host: string): boolean {
  return WILDCARDS.has(host);
}

/** A name or address as it stands in a URL. */
export function inUrl(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

/**
 * By what names requests may call a server on `host`. A page of another site whose name was made to resolve to this
 * machine (DNS rebinding) calls it by that name.
 *
 * @param more  names by which a proxy or the network knows it
 */
export function hostNames(host: string, more: readonly string[] = []): ReadonlySet<string> {
  const own = isWildcard(host) ? ownNames() : [host];
  const loopback = isLoopback(host) || isWildcard(host) ? ["localhost", "127.0.0.1", "::1"] : [];
  return new Set([...own, ...loopback, ...more].map((name) => name.toLowerCase()));
}

/** The name in a `Host` header, without brackets; undefined when it is none. */
export function hostName(header: string | undefined): string | undefined {
  const name = /^(\[[\da-f:.]+\]|[\w.-]+)(:\d{1,5})?$/i.exec(header ?? "")?.[1];
  return name?.replace(/^\[(.*)\]$/, "$1").toLowerCase();
}

function ownNames(): readonly string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return [hostname(), ...addresses.map(({ address }) => address)];
}
