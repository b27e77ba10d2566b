import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isPublicIp, isPublicUrl } from "../../../runtime/node/address-policy.ts";

describe("isPublicIp", () => {
  // the first and last address of each private block, between its public neighbours (IANA special-purpose registries)
  for (const [before, first, last, after] of [
    [undefined, "0.0.0.0", "0.255.255.255", "1.0.0.0"],
    ["9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"],
    ["100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0"],
    ["126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0"],
    ["169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0"],
    ["172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0"],
    ["192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0"],
    ["198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0"],
    ["223.255.255.255", "224.0.0.0", "255.255.255.255", undefined],
    ["2000:ffff::", "2001::", "2001:1ff:ffff::", "2001:200::"],
    ["2001:db7:ffff::", "2001:db8::", "2001:db8:ffff::", "2001:db9::"],
    ["2001:ffff::", "2002::", "2002:ffff::", "2003::"],
  ] as const)
    it(`refuses ${first} to ${last}, and no more`, () => {
      expect([first, last].map(isPublicIp)).toEqual([false, false]);
      const beside = [before, after].filter((ip) => ip !== undefined);
      expect(beside.filter((ip) => !isPublicIp(ip))).toEqual([]);
    });

  for (const ip of [
    "::",
    "::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%eth0",
    "ff02::1",
    "1fff:ffff::",
    "4000::",
  ])
    it(`refuses ${ip}`, () => {
      expect(isPublicIp(ip)).toBe(false);
    });

  for (const ip of ["2000::", "2606:2800:220:1::", "3ffe:ffff::"])
    it(`allows ${ip}`, () => {
      expect(isPublicIp(ip)).toBe(true);
    });

  it("looks at the IPv4 address within an IPv6 one", () => {
    expect(isPublicIp("::ffff:127.0.0.1")).toBe(false);
    expect(isPublicIp("::ffff:93.184.215.14")).toBe(true);
    expect(isPublicIp("64:ff9b::10.0.0.1")).toBe(false);
    expect(isPublicIp("64:ff9b::93.184.215.14")).toBe(true);
  });

  it("refuses text that is not an address, without failing", () => {
    for (const text of ["", "localhost", "256.1.1.1", "1.2.3", "::g", "1.2.3.4.5"])
      expect(isPublicIp(text)).toBe(false);
    fc.assert(fc.property(fc.string(), (text) => typeof isPublicIp(text) === "boolean"));
  });
});

describe("isPublicUrl", () => {
  for (const address of [
    "http://localhost/",
    "http://a.localhost/",
    "http://LOCALHOST./",
    "http://printer.local/",
    "http://metadata.google.internal/",
    "http://intranet/",
    "http://127.1/",
    "http://0x7f000001/",
    "http://2130706433/",
    "http://0/",
    "http://169.254.169.254/latest/meta-data",
    "http://[::1]:8080/",
    "http://[::ffff:10.0.0.1]/",
    "blob:http://example.org/1",
    "file:///etc/passwd",
  ])
    it(`refuses ${address}`, () => {
      expect(isPublicUrl(new URL(address))).toBe(false);
    });

  for (const address of [
    "https://example.org/a.png",
    "http://93.184.215.14/",
    "https://[2606:2800:220:1::1]/",
    "https://localhost.example.org/",
  ])
    it(`allows ${address}`, () => {
      expect(isPublicUrl(new URL(address))).toBe(true);
    });
});
