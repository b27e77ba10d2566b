/** Which addresses a server may fetch for its clients, who could otherwise reach its own network through it. */

/** Special-purpose IPv4 blocks (IANA registry, RFC 6890) that are not on the public internet. */
const PRIVATE_V4: readonly (readonly [network: string, bits: number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
];
const PRIVATE_SUFFIXES = [".localhost", ".local", ".internal", ".lan", ".home.arpa"] as const;

/**
 * Whether an http or https address is, by its host, on the public internet. A name may still resolve to a private
 * address; guarded-fetch.ts checks the address that a connection uses.
 */
export function isPublicUrl({ protocol, hostname }: URL): boolean {
  if (protocol !== "http:" && protocol !== "https:") return false;
  const ip = hostname.replace(/^\[(.*)\]$/, "$1");
  if (ip !== hostname || isV4(ip)) return isPublicIp(ip);
  const name = hostname.replace(/\.$/, "").toLowerCase();
  // names without a dot are looked up in the domain of the machine
  return name.includes(".") && !PRIVATE_SUFFIXES.some((suffix) => name.endsWith(suffix));
}

/** Whether an IPv4 or IPv6 address, as text, is on the public internet. False for text that is no address. */
export function isPublicIp(ip: string): boolean {
  if (isV4(ip)) return isPublicV4(parseV4(ip));
  const groups = parseV6(ip);
  return groups !== undefined && isPublicV6(groups);
}

function isPublicV4(address: number): boolean {
  return !PRIVATE_V4.some(([network, bits]) => (address ^ parseV4(network)) >>> (32 - bits) === 0);
}

function isPublicV6(groups: readonly number[]): boolean {
  const [a, b, , , , f] = groups as [number, number, number, number, number, number];
  const v4 = ((groups[6]! << 16) | groups[7]!) >>> 0;
  const zeros = groups.slice(0, 5).every((group) => group === 0);
  if (zeros && f === 0xffff) return isPublicV4(v4); // IPv4 written as IPv6
  if (a === 0x64 && b === 0xff9b && groups.slice(2, 6).every((group) => group === 0)) return isPublicV4(v4); // NAT64
  const protocols = a === 0x2001 && b < 0x200; // Teredo among them
  const documentation = (a === 0x2001 && b === 0xdb8) || (a === 0x3fff && b < 0x1000);
  const sixToFour = a === 0x2002; // leads to an IPv4 address
  return a >> 13 === 1 && !protocols && !documentation && !sixToFour; // 2000::/3
}

function isV4(ip: string): boolean {
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(ip) && ip.split(".").every((part) => Number(part) < 256);
}

function parseV4(ip: string): number {
  return ip.split(".").reduce((value, part) => value * 256 + Number(part), 0);
}

/** Eight groups of 16 bits; the URL parser brings all spellings into one. */
function parseV6(ip: string): readonly number[] | undefined {
  const [plain = ""] = ip.split("%"); // a zone is of this machine
  if (!URL.canParse(`http://[${plain}]/`)) return undefined;
  const [head = "", tail] = new URL(`http://[${plain}]/`).hostname.slice(1, -1).split("::");
  const parse = (part: string): number[] => (part === "" ? [] : part.split(":").map((group) => parseInt(group, 16)));
  if (tail === undefined) return parse(head);
  const [before, after] = [parse(head), parse(tail)];
  return [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after];
}
