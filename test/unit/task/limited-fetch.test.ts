import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { KleinbildError } from "../../../runtime/errors.ts";
import { isPublicUrl } from "../../../runtime/node/address-policy.ts";
import { limitedFetch, type LimitedFetchOptions } from "../../../runtime/task/net/limited-fetch.ts";
import { guardedFetch } from "../../../runtime/node/guarded-fetch.ts";
import { bytes, cut, type Handler, redirect, stall, status, TestServer } from "./http-server.ts";

const REASON = new Error("enough");
const BODY = Uint8Array.from({ length: 1000 }, (_, i) => (i * 7) % 251);

const chunked: Handler = (_, response) => {
  response.writeHead(200);
  for (let at = 0; at < BODY.length; at += 100) response.write(BODY.subarray(at, at + 100));
  response.end();
};

let server: TestServer;
beforeAll(async () => void (server = await TestServer.start()));
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(() => {
  server.routes = {};
  server.seen = [];
});

async function reasonOf(promise: Promise<unknown>): Promise<KleinbildError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(KleinbildError);
  return error as KleinbildError;
}

describe("limitedFetch", () => {
  const get = (path: string, options?: LimitedFetchOptions): Promise<Uint8Array> =>
    limitedFetch(`${server.origin}${path}`, options);

  it("brings the bytes", async () => {
    server.routes = { "/a": bytes(BODY) };
    expect(await get("/a")).toEqual(BODY);
  });

  for (const [name, handler] of [
    ["announced", bytes(BODY)],
    ["not announced", chunked],
  ] as const)
    it(`takes as many bytes as allowed and not one more, when their number is ${name}`, async () => {
      server.routes = { "/a": handler };
      expect(await get("/a", { limits: { maxBytes: 1000 } })).toEqual(BODY);
      const error = await reasonOf(get("/a", { limits: { maxBytes: 999 } }));
      expect(error.message).toContain("at most 999 are read");
      expect(error.details).toMatchObject({ reason: "bytes", max: 999 });
    });

  it("counts decompressed bytes", async () => {
    const zeros = gzipSync(Buffer.alloc(100_000));
    server.routes = {
      "/a": (_, response) => void response.writeHead(200, { "content-encoding": "gzip" }).end(zeros),
    };
    expect(zeros.length).toBeLessThan(1000);
    expect(await get("/a", { limits: { maxBytes: 100_000 } })).toHaveLength(100_000);
    expect((await reasonOf(get("/a", { limits: { maxBytes: 99_999 } }))).details["reason"]).toBe("bytes");
  });

  it("stops reading a body without end", async () => {
    server.routes = {
      "/a": (_, response) => {
        const more = (): void => {
          while (!response.destroyed && response.write(BODY));
          if (!response.destroyed) response.once("drain", more);
        };
        more();
      },
    };
    expect((await reasonOf(get("/a", { limits: { maxBytes: 50_000 } }))).details["reason"]).toBe("bytes");
  });

  it("follows as many redirects as allowed and not one more", async () => {
    server.routes = {
      "/0": redirect("/1", 301),
      "/1": redirect("2", 302),
      "/2": redirect(`${server.origin}/3`, 303),
      "/3": redirect("/4", 307),
      "/4": redirect("/5?x=1", 308),
      "/5": bytes(BODY),
    };
    expect(await get("/0")).toEqual(BODY);
    server.routes = { ...server.routes, "/5": redirect("/6"), "/6": bytes(BODY) };
    const error = await reasonOf(get("/0"));
    expect(error.message).toContain("redirects more than 5 times");
    expect(await get("/0", { limits: { maxRedirects: 6 } })).toEqual(BODY);
  });

  it("gives up on a server that redirects for ever", async () => {
    server.routes = { "/a": redirect("/a") };
    const error = await reasonOf(get("/a", { limits: { maxRedirects: 3 } }));
    expect(error.details).toMatchObject({ reason: "redirects", max: 3 });
    expect(server.seen).toHaveLength(4);
  });

  it("refuses a redirect that leads nowhere, or away from http", async () => {
    server.routes = { "/a": redirect(""), "/b": redirect("file:///etc/passwd"), "/c": redirect("http://[") };
    expect((await reasonOf(get("/a"))).details["reason"]).toBe("redirects");
    expect((await reasonOf(get("/b"))).details["reason"]).toBe("protocol");
    expect((await reasonOf(get("/c"))).details["reason"]).toBe("redirects");
  });

  for (const address of ["file:///etc/passwd", "ftp://example.org/a.png", "data:,x", "javascript:1", "cat.png"])
    it(`refuses ${address}`, async () => {
      expect((await reasonOf(limitedFetch(address))).details["reason"]).toBe("protocol");
    });

  for (const [name, handler] of [
    ["says nothing", stall()],
    ["stalls in the body", stall(100)],
  ] as const)
    it(`ends when the time is over with a server that ${name}`, async () => {
      server.routes = { "/a": handler };
      const error = await reasonOf(get("/a", { limits: { timeoutMs: 50 } }));
      expect(error.details["reason"]).toBe("timeout");
      expect(error.message).toContain("within 0.05 s");
    });

  it("counts the time over all redirects", async () => {
    server.routes = { "/a": redirect("/b"), "/b": stall() };
    expect((await reasonOf(get("/a", { limits: { timeoutMs: 500 } }))).details["reason"]).toBe("timeout");
    expect(server.seen.map(({ url }) => url)).toEqual(["/a", "/b"]);
  });

  for (const [name, handler] of [
    ["before it answers", stall()],
    ["in the body", stall(100)],
  ] as const)
    it(`throws the signal's reason when it is aborted ${name}`, async () => {
      const controller = new AbortController();
      server.routes = {
        "/a": (request, response) => {
          handler(request, response);
          setImmediate(() => controller.abort(REASON));
        },
      };
      await expect(get("/a", { signal: controller.signal })).rejects.toBe(REASON);
    });

  it("asks nobody when it is aborted before", async () => {
    await expect(get("/a", { signal: AbortSignal.abort(REASON) })).rejects.toBe(REASON);
    expect(server.seen).toEqual([]);
  });

  it("says that the body was cut off", async () => {
    server.routes = { "/a": cut(100) };
    const error = await reasonOf(get("/a"));
    expect(error.details["reason"]).toBe("cut");
  });

  it("says the status and the host, and keeps the query to itself", async () => {
    server.routes = { "/a": status(403) };
    const error = await reasonOf(get("/a?token=secret"));
    expect(error.message).toBe(`${server.origin}/a answered with status 403.`);
    expect(error.details).toEqual({ reason: "status", host: `127.0.0.1:${server.port}`, status: 403 });
  });

  it("says why it could not connect", async () => {
    const other = await TestServer.start();
    const { origin } = other;
    await other[Symbol.asyncDispose]();
    const error = await reasonOf(limitedFetch(origin));
    expect(error.details["reason"]).toBe("unreachable");
    expect(error.message).toContain("ECONNREFUSED");
  });

  it("asks allowHost about every address of a chain before it is asked", async () => {
    server.routes = { "/a": redirect("/b"), "/b": redirect("/secret"), "/secret": bytes(BODY) };
    const asked: string[] = [];
    const allowHost = async ({ pathname }: URL): Promise<boolean> => {
      asked.push(pathname);
      return pathname !== "/secret";
    };
    const error = await reasonOf(get("/a", { allowHost }));
    expect(error.details["reason"]).toBe("refused");
    expect(asked).toEqual(["/a", "/b", "/secret"]);
    expect(server.seen.map(({ url }) => url)).toEqual(["/a", "/b"]);
  });

  it("refuses loopback with the policy for servers", async () => {
    expect((await reasonOf(get("/a", { allowHost: isPublicUrl }))).details["reason"]).toBe("refused");
    expect(server.seen).toEqual([]);
  });

  describe("where redirects are not shown, as in browsers", () => {
    const opaque = (): Response => Object.defineProperty(new Response(null), "type", { value: "opaqueredirect" });
    const modes: (string | undefined)[] = [];
    const browserFetch = async (_: string, { redirect }: RequestInit): Promise<Response> => {
      modes.push(redirect);
      return redirect === "follow" ? new Response(BODY) : opaque();
    };
    beforeEach(() => void (modes.length = 0));

    it("leaves them to the platform", async () => {
      expect(await limitedFetch("https://example.org/a", { fetch: browserFetch })).toEqual(BODY);
      expect(modes).toEqual(["manual", "follow"]);
    });

    it("refuses them when each address must be checked", async () => {
      const error = await reasonOf(
        limitedFetch("https://example.org/a", { fetch: browserFetch, allowHost: () => true }),
      );
      expect(error.details["reason"]).toBe("refused");
      expect(modes).toEqual(["manual"]);
    });
  });
});

describe("guardedFetch", () => {
  it("connects to no address that is not allowed, whether it is written as one or a name leads to it", async () => {
    const options = { fetch: guardedFetch() };
    for (const host of ["127.0.0.1", "localhost", "[::1]", "2130706433"])
      expect((await reasonOf(limitedFetch(`http://${host}:${server.port}/a`, options))).details["reason"]).toBe(
        "refused",
      );
    expect(server.seen).toEqual([]);
  });

  it("checks the address that the connection uses: one refused among several is enough", async () => {
    const fetch = guardedFetch({
      lookup: (_, __, done) =>
        done(null, [
          { address: "93.184.215.14", family: 4 },
          { address: "10.0.0.1", family: 4 },
        ]),
    });
    expect((await reasonOf(limitedFetch("http://example.org/", { fetch }))).details["reason"]).toBe("refused");
  });

  it("fetches allowed addresses as the platform does, within the same limits", async () => {
    const fetch = guardedFetch({
      allowIp: (ip) => ip === "127.0.0.1",
      lookup: (_, __, done) => done(null, [{ address: "127.0.0.1", family: 4 }]),
    });
    server.routes = {
      "/a": redirect("/b"),
      "/b": bytes(BODY),
      "/cut": cut(100),
      "/stall": stall(100),
      "/no": status(404),
    };
    const get = (path: string, options: LimitedFetchOptions = {}): Promise<Uint8Array> =>
      limitedFetch(`http://pictures.example:${server.port}${path}`, { fetch, ...options });
    expect(await get("/a")).toEqual(BODY);
    expect(server.seen[0]!.headers.host).toBe(`pictures.example:${server.port}`);
    expect((await reasonOf(get("/a", { limits: { maxBytes: 999 } }))).details["reason"]).toBe("bytes");
    expect((await reasonOf(get("/cut"))).details["reason"]).toBe("cut");
    expect((await reasonOf(get("/stall", { limits: { timeoutMs: 50 } }))).details["reason"]).toBe("timeout");
    expect((await reasonOf(get("/no"))).details).toMatchObject({ reason: "status", status: 404 });
  });

  it("sends method, headers and body", async () => {
    server.routes = { "/a": status(204) };
    const fetch = guardedFetch({ allowIp: () => true });
    const headers = { "content-type": "image/png" };
    const response = await fetch(`${server.origin}/a`, { method: "PUT", headers, body: BODY });
    expect(response.status).toBe(204);
    expect(server.seen).toMatchObject([{ method: "PUT", headers: { "content-type": "image/png" } }]);
    expect(new Uint8Array(server.seen[0]!.body)).toEqual(BODY);
  });
});
