import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { MediaStore } from "../../../runtime/task/media/media-store.ts";
import { hostName, hostNames } from "../../../tools/serve/hosts.ts";
import { ServedUrls } from "../../../tools/serve/served-urls.ts";
import { startServer } from "../../../tools/serve/server.ts";
import { deferred, untilAborted } from "../../support/deferred.ts";
import { FakeTaskRunner } from "../../support/fake-task-runner.ts";
import { serve } from "../../support/served.ts";
import { TASK } from "./tasks.ts";

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

type Sent = Readonly<Record<string, string>>;

const JSON_TYPE = { "content-type": "application/json" };
const UPGRADE = {
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
};

/** Unlike `fetch`, with the headers that only browsers or attackers send. */
function send(url: string, method: string, headers: Sent = {}, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method, headers }, async (response) => {
      let text = "";
      for await (const chunk of response) text += String(chunk);
      resolve({ status: response.statusCode!, headers: response.headers, text });
    });
    request.on("upgrade", ({ statusCode, headers }, socket) => {
      socket.destroy();
      resolve({ status: statusCode!, headers, text: "" });
    });
    request.on("error", reject);
    request.end(body);
  });
}

const post = (url: string, headers: Sent = {}, body = JSON.stringify(TASK)): Promise<Answer> =>
  send(url, "POST", { ...JSON_TYPE, ...headers }, body);
const upgrade = (url: string, headers: Sent = {}): Promise<Answer> => send(url, "GET", { ...UPGRADE, ...headers });

describe("the address", () => {
  it.each(["0.0.0.0", "::", "192.0.2.1", "example.com", ""])("%j needs a key", async (host) => {
    await expect(startServer({ runner: new FakeTaskRunner(), port: 0, host })).rejects.toMatchObject({
      code: "invalid-request",
      message: expect.stringMatching(/API key/),
    });
  });

  it.each(["127.0.0.1", "localhost", "127.0.0.2"])("%s needs none", async (host) => {
    expect((await post(await serve({ host }))).status).toBe(200);
  });

  it("0.0.0.0 is served with a key, by the loopback names too", async () => {
    const url = (await serve({ host: "0.0.0.0", apiKey: "secret" })).replace("0.0.0.0", "127.0.0.1");
    expect((await post(url)).status).toBe(401);
    expect((await post(url, { authorization: "Bearer secret" })).status).toBe(200);
  });

  it("is refused with an empty key, and with every origin but no key", async () => {
    const runner = new FakeTaskRunner();
    await expect(startServer({ runner, port: 0, apiKey: "" })).rejects.toThrow(/empty/);
    await expect(startServer({ runner, port: 0, allowOrigins: ["*"] })).rejects.toThrow(/origins instead of \*/);
    expect(
      (await post(await serve({ apiKey: "k", allowOrigins: ["*"] }), { origin: "https://a.example" })).status,
    ).toBe(401);
  });

  it("in use already, rejects with what the system said", async () => {
    const { port } = new URL(await serve());
    const second = startServer({ runner: new FakeTaskRunner(), port: Number(port) });
    await expect(second).rejects.toMatchObject({ code: "EADDRINUSE" });
  });
});

describe("Host", () => {
  it.each(["attacker.example", "127.0.0.1.attacker.example", "localhost.", "169.254.169.254", "[::2]"])(
    "%s is refused, over HTTP and WebSocket",
    async (host) => {
      const runner = new FakeTaskRunner();
      const url = await serve({ runner });
      const { port } = new URL(url);
      for (const name of [host, `${host}:${port}`]) {
        const answer = await post(url, { host: name });
        expect(answer.status).toBe(403);
        expect(JSON.parse(answer.text)).toMatchObject({ errors: [{ code: "forbiddenHost" }] });
        expect((await upgrade(url, { host: name })).status).toBe(403);
      }
      expect(runner.calls).toHaveLength(0);
    },
  );

  it.each(["localhost", "localhost:1", "127.0.0.1", "[::1]:8080"])("%s is ours", async (host) => {
    const url = await serve();
    expect((await post(url, { host })).status).toBe(200);
    expect((await upgrade(url, { host })).status).toBe(101);
  });

  it("may be a configured host name, behind a proxy", async () => {
    const url = await serve({ hostNames: ["pictures.example"] });
    expect((await post(url, { host: "pictures.example" })).status).toBe(200);
    expect((await post(url, { host: "www.pictures.example" })).status).toBe(403);
  });

  it.each([
    ["localhost", "localhost"],
    ["A.Example:80", "a.example"],
    ["[::1]:80", "::1"],
    ["a b", undefined],
    ["a:b", undefined],
    ["user@localhost", undefined],
    ["", undefined],
    [undefined, undefined],
  ])("%j names %j", (header, name) => expect(hostName(header)).toBe(name));

  it("of an address other than loopback is that address only", () => {
    expect([...hostNames("192.0.2.1")]).toEqual(["192.0.2.1"]);
    expect(hostNames("0.0.0.0").has("127.0.0.1")).toBe(true);
    expect(hostNames("::1")).toContain("localhost");
  });
});

describe("Origin", () => {
  const origin = "https://shop.example";

  it.each([origin, "null", "http://127.0.0.1:1", "https://127.0.0.1.shop.example"])(
    "%s is refused, over HTTP and WebSocket and when asked first",
    async (foreign) => {
      const runner = new FakeTaskRunner();
      const url = await serve({ runner });
      const answer = await post(url, { origin: foreign });
      expect(answer.status).toBe(403);
      expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
      expect((await upgrade(url, { origin: foreign })).status).toBe(403);
      const asking = { origin: foreign, "access-control-request-method": "POST" };
      expect((await send(url, "OPTIONS", asking)).status).toBe(403);
      expect(runner.calls).toHaveLength(0);
    },
  );

  it("of the server itself, or none, is let through", async () => {
    const url = await serve();
    expect((await post(url, { origin: new URL(url).origin })).status).toBe(200);
    expect((await upgrade(url, { origin: new URL(url).origin })).status).toBe(101);
    expect((await upgrade(url)).status).toBe(101);
  });

  it("that is allowed may send requests, and its browser gets the CORS headers", async () => {
    const url = await serve({ allowOrigins: [origin] });
    const asked = await send(url, "OPTIONS", {
      origin,
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization,content-type",
      "access-control-request-private-network": "true",
    });
    expect(asked.status).toBe(204);
    expect(asked.headers).toMatchObject({
      "access-control-allow-origin": origin,
      "access-control-allow-methods": "POST,GET,HEAD",
      "access-control-allow-headers": "Authorization,Content-Type",
      "access-control-allow-private-network": "true",
    });
    const answer = await post(url, { origin });
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({ "access-control-allow-origin": origin, vary: "Origin" });
    expect(answer.headers["access-control-allow-credentials"]).toBeUndefined();
    expect((await upgrade(url, { origin })).status).toBe(101);
    expect((await post(url, { origin: "https://other.example" })).status).toBe(403);
  });
});

describe("sizes", () => {
  it("of a body above the limit are refused with 413, announced or in chunks", async () => {
    const runner = new FakeTaskRunner();
    const url = await serve({ runner, maxBodyBytes: 1000 });
    expect((await post(url, { "content-length": "1001" }, " ".repeat(1001))).status).toBe(413);
    expect((await post(url, { "transfer-encoding": "chunked" }, " ".repeat(1001))).status).toBe(413);
    expect((await post(url, {}, JSON.stringify(TASK).padEnd(1000))).status).toBe(200);
    expect(runner.calls).toHaveLength(1);
  });

  it("of a message above the limit end the connection", async () => {
    const url = await serve({ maxBodyBytes: 1000 });
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    const lines = Object.entries({ host: "localhost", ...UPGRADE }).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`GET /v1 HTTP/1.1\r\n${lines.join("")}\r\n`);
    await once(socket, "data");
    // FIN, text, masked with zeros, 1001 bytes
    socket.write(
      Buffer.concat([Buffer.from([0x81, 0xfe, 1001 >> 8, 1001 & 0xff, 0, 0, 0, 0]), Buffer.alloc(1001, 32)]),
    );
    const [frame] = (await once(socket, "data")) as [Buffer];
    expect([frame[0], frame.readUInt16BE(2)]).toEqual([0x88, 1009]); // close: message too big
    socket.destroy();
  });
});

describe("a client that does not keep to the rules", () => {
  it.each(["//", "//attacker.example/v1", "/\\", "*", "http://user:password@localhost/v1"])(
    "asks for an upgrade at %s and gets an error, and the server goes on",
    async (path) => {
      const url = await serve();
      const socket = connect(Number(new URL(url).port), "127.0.0.1");
      const lines = Object.entries({ host: "localhost", ...UPGRADE }).map(([name, value]) => `${name}: ${value}\r\n`);
      socket.write(`GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
      const [answer] = (await once(socket, "data")) as [Buffer];
      expect(answer.toString("latin1")).toMatch(/^HTTP\/1\.1 4\d\d /);
      socket.destroy();
      expect((await post(url)).status).toBe(200);
    },
  );

  it("gets 404 for an upgrade at another path", async () => {
    const url = await serve();
    expect((await upgrade(url.replace("/v1", "/"))).status).toBe(404);
    expect((await upgrade(`${url}?sdk=js&version=1.3.2`)).status).toBe(101);
  });
});

describe("an HTTP client that goes away", () => {
  it("aborts its tasks", async () => {
    const aborted = deferred();
    const runner = new FakeTaskRunner((_, signal) => {
      signal!.addEventListener("abort", () => aborted.resolve());
      return untilAborted(signal);
    });
    const url = await serve({ runner });
    const controller = new AbortController();
    const started = runner.nextCall();
    const answer = fetch(url, {
      method: "POST",
      headers: JSON_TYPE,
      body: JSON.stringify(TASK),
      signal: controller.signal,
    });
    await started;
    controller.abort();
    await expect(answer).rejects.toThrow(/abort/);
    await aborted.promise;
    expect(runner.calls[0]!.signal!.aborted).toBe(true);
  });
});

describe("pictures", () => {
  it("are served at the addresses that the store gives", async () => {
    let url = "";
    const media = new MediaStore({ urls: new ServedUrls(() => url) });
    url = await serve({ media });
    const { uuid } = media.put(new Uint8Array([1, 2, 3]), "image/webp");
    expect(media.urlOf(uuid)).toBe(`${url}/media/${uuid}.webp`);
    const answer = await fetch(media.urlOf(uuid)!);
    expect(answer.headers.get("content-type")).toBe("image/webp");
    expect(new Uint8Array(await answer.arrayBuffer())).toEqual(new Uint8Array([1, 2, 3]));
  });
});

describe("closing the server", () => {
  it("aborts running tasks, ends all connections and frees the port", async () => {
    const runner = new FakeTaskRunner((_, signal) => untilAborted(signal));
    const server = await startServer({ runner, port: 0 });
    const started = runner.nextCall();
    const answer = post(server.url);
    await started;
    await Promise.all([expect(answer).rejects.toThrow(/socket hang up|ECONNRESET/), server.close()]);
    expect(runner.calls[0]!.signal!.aborted).toBe(true);
    await expect(post(server.url)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });
});
