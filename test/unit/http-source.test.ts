import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { HttpSource, type ModelAddress } from "../../runtime/weights/sources/http-source.ts";

const BYTES = Uint8Array.from({ length: 1000 }, (_, i) => (i * 7) % 251);
const MIB = 2 ** 20;
const REASON = new Error("enough");
/** A source that tries nothing twice. */
const once = (address: ModelAddress): HttpSource => new HttpSource(address, { retries: 0, delayMs: 0 });

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** The range that a request asks for. */
function rangeOf(request: IncomingMessage): readonly [first: number, last: number] {
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "")!;
  return [Number(first), Number(last)];
}

/** A server as it should be. */
const ranges: Handler = (request, response) => {
  const [first, last] = rangeOf(request);
  const body = BYTES.slice(first, last + 1);
  response.writeHead(206, {
    "content-range": `bytes ${first}-${first + body.length - 1}/${BYTES.length}`,
    "content-length": body.length,
  });
  response.end(body);
};

const status =
  (code: number, type = "text/plain"): Handler =>
  (_, response) =>
    void response.writeHead(code, { "content-type": type }).end("no");

const whole: Handler = (_, response) => void response.writeHead(200).end(BYTES);

describe("HttpSource", () => {
  let server: Server;
  let origin = "";
  let seen: { readonly url: string; readonly range: string | undefined; readonly encoding: string }[] = [];
  let routes: Readonly<Record<string, Handler>> = {};
  beforeAll(async () => {
    server = createServer((request, response) => {
      seen.push({
        url: request.url!,
        range: request.headers.range,
        encoding: String(request.headers["accept-encoding"]),
      });
      (routes[request.url!.replace(/\?.*/, "")] ?? status(404))(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  beforeEach(() => {
    seen = [];
    routes = {};
  });

  const open = (handler: Handler, signal?: AbortSignal) => {
    routes = { "/model/file": handler };
    return once(`${origin}/model/`).open("file", signal);
  };
  /** The first answer opens the file, the later ones are to a read. */
  const openThen = (handler: Handler) => {
    let requests = 0;
    return open((request, response) => (requests++ === 0 ? ranges : handler)(request, response));
  };

  describe("on a server that fails now and then", () => {
    /** Answers with the handlers in turn, and then as it should be. */
    const failing = (...handlers: readonly Handler[]) => {
      let requests = 0;
      routes = { "/model/file": (request, response) => (handlers[requests++] ?? ranges)(request, response) };
      return new HttpSource(`${origin}/model/`, { retries: 3, delayMs: 1 });
    };
    const cut: Handler = (request, response) => {
      const [first, last] = rangeOf(request);
      response.writeHead(206, { "content-range": `bytes ${first}-${last}/1000`, "content-length": last - first + 1 });
      response.write(BYTES.slice(first, first + 1), () => response.destroy());
    };

    it("retries after a busy server or a broken connection", async () => {
      const file = await failing(status(503), cut, ranges, status(429), cut).open("file");
      expect(await file.read(10, 20)).toEqual(BYTES.slice(10, 30));
      expect(seen).toHaveLength(6);
    });

    it("gives up after three more tries, with the last error", async () => {
      await expect(failing(...Array<Handler>(9).fill(status(503))).open("file")).rejects.toMatchObject({
        code: "network",
        details: { status: 503 },
      });
      expect(seen).toHaveLength(4);
    });

    it.each([404, 403])("does not ask again after status %d", async (code) => {
      await expect(failing(status(code)).open("file")).rejects.toMatchObject({ details: { status: code } });
      expect(seen).toHaveLength(1);
    });

    it("stops when its signal says so", async () => {
      const abort = new AbortController();
      const source = failing((_, response) => {
        abort.abort(REASON);
        response.destroy();
      });
      await expect(source.open("file", abort.signal)).rejects.toBe(REASON);
      expect(seen).toHaveLength(1);
    });
  });

  describe("on a server with ranges", () => {
    it("requests two bytes to learn the size, and then only the ranges that are read", async () => {
      const file = await open(ranges);
      expect(file.size).toBe(1000);
      for (const [offset, length] of [
        [0, 1],
        [0, 1000],
        [999, 1],
        [313, 257],
      ] as const) {
        const bytes = await file.read(offset, length);
        expect(bytes).toEqual(BYTES.slice(offset, offset + length));
        expect(bytes.buffer.byteLength).toBe(length);
      }
      expect(seen.map(({ range }) => range)).toEqual([
        "bytes=0-1",
        "bytes=0-0",
        "bytes=0-999",
        "bytes=999-999",
        "bytes=313-569",
      ]);
    });

    it("reads nothing without a request", async () => {
      const file = await open(ranges);
      expect(await file.read(500, 0)).toHaveLength(0);
      expect(seen).toHaveLength(1);
    });

    it("refuses to read beyond the end without a request", async () => {
      const file = await open(ranges);
      for (const [offset, length] of [
        [0, 1001],
        [1000, 1],
      ] as const)
        await expect(file.read(offset, length)).rejects.toMatchObject({
          code: "invalid-model",
          message: "file ends at byte 1000; 1001 bytes were expected.",
        });
      expect(seen).toHaveLength(1);
    });

    it("asks once about a file that is opened twice, and again after it was closed", async () => {
      routes = { "/model/file": ranges };
      const source = once(`${origin}/model/`);
      await source.open("file");
      await source.open("file");
      expect(await source.exists("file")).toBe(true);
      expect(seen).toHaveLength(1);
      await source.close();
      await source.open("file");
      expect(seen).toHaveLength(2);
    });

    it("follows redirects, for each range", async () => {
      routes = {
        "/model/file": (_, response) => void response.writeHead(302, { location: "/elsewhere?token=1" }).end(),
        "/elsewhere": ranges,
      };
      const file = await once(`${origin}/model/`).open("file");
      expect(await file.read(10, 20)).toEqual(BYTES.slice(10, 30));
      expect(seen.map(({ url }) => url)).toEqual(
        Array.from({ length: 2 }, () => ["/model/file", "/elsewhere?token=1"]).flat(),
      );
    });

    for (const sent of [
      "",
      "bytes 0-1/*",
      "bytes 1-2/1000",
      "bytes 0-0/1000",
      "bytes 0-2/1000",
      "bytes */1000",
      "items 0-1/1000",
    ])
      it(`refuses the Content-Range "${sent}" for the first bytes`, async () => {
        const opening = open((_, response) => {
          response.writeHead(206, sent === "" ? {} : { "content-range": sent }).end("x");
        });
        await expect(opening).rejects.toMatchObject({
          code: "network",
          message: expect.stringContaining(`with the Content-Range "${sent}"; "bytes 0-1/size" was expected`),
          details: { path: "file" },
        });
      });

    it("refuses another range than the one asked for, of the right length too", async () => {
      const file = await openThen((_, response) => {
        response.writeHead(206, { "content-range": "bytes 0-9/1000" }).end(BYTES.slice(0, 10));
      });
      await expect(file.read(10, 10)).rejects.toMatchObject({
        code: "network",
        message: expect.stringContaining('"bytes 10-19/size" was expected'),
      });
    });

    it("refuses a range of a file that has another size than when it was opened", async () => {
      const file = await openThen((_, response) => {
        response.writeHead(206, { "content-range": "bytes 0-9/1001" }).end(BYTES.slice(0, 10));
      });
      await expect(file.read(0, 10)).rejects.toMatchObject({
        code: "network",
        message: `${origin}/model/file changed while it was read: it had 1000 bytes and has 1001 now; load the model again.`,
      });
    });

    for (const [sent, message] of [
      [9, "sent 9 bytes for a range of 10"],
      [11, "sent more bytes for a range of 10"],
    ] as const)
      it(`refuses ${sent} bytes for a range of 10`, async () => {
        const file = await openThen((_, response) => {
          response.writeHead(206, { "content-range": "bytes 0-9/1000" }).end(BYTES.slice(0, sent));
        });
        await expect(file.read(0, 10)).rejects.toMatchObject({
          code: "network",
          message: expect.stringContaining(message),
        });
      });

    it("refuses the whole file for a range of it", async () => {
      const file = await openThen(whole);
      await expect(file.read(0, 10)).rejects.toMatchObject({
        code: "network",
        message: `${origin}/model/file sent the whole file (status 200) instead of a range of it.`,
        details: { path: "file", status: 200 },
      });
    });

    it("asks for ranges uncompressed, and refuses them compressed", async () => {
      const file = await openThen((_, response) => {
        const body = gzipSync(BYTES.slice(0, 10));
        response.writeHead(206, { "content-range": "bytes 0-9/1000", "content-encoding": "gzip" }).end(body);
      });
      expect(seen[0]!.encoding).toBe("identity");
      await expect(file.read(0, 10)).rejects.toMatchObject({
        code: "network",
        message: `${origin}/model/file sent a compressed range (gzip); the server must not compress ranges.`,
      });
    });

    it("asks past the cache of a browser that cuts ranges out of a compressed answer", async () => {
      const file = await openThen((request, response) => {
        if (request.headers["cache-control"] === "no-cache") return ranges(request, response);
        const body = gzipSync(BYTES).subarray(0, 10);
        response.writeHead(206, { "content-range": "bytes 0-9/300", "content-encoding": "gzip" }).end(body);
      });
      expect(await file.read(0, 10)).toEqual(BYTES.slice(0, 10));
    });

    it("says after how many bytes a connection was cut", async () => {
      const file = await openThen((request, response) => {
        response.writeHead(206, { "content-range": "bytes 0-99/1000", "content-length": 100 });
        response.write(BYTES.slice(0, 40), () => request.socket.destroy());
      });
      await expect(file.read(0, 100)).rejects.toMatchObject({
        code: "network",
        message: expect.stringMatching(/\/model\/file was cut off after \d+ bytes\.$/),
        cause: expect.any(Error),
      });
    });

    it("can read again after a failure", async () => {
      let requests = 0;
      const file = await open((request, response) => (++requests === 2 ? status(503) : ranges)(request, response));
      await expect(file.read(0, 10)).rejects.toMatchObject({ code: "network", details: { status: 503 } });
      expect(await file.read(0, 10)).toEqual(BYTES.slice(0, 10));
    });
  });

  describe("on a server without ranges", () => {
    it("takes the file whole, once, and reads from that", async () => {
      const file = await open(whole);
      expect(file.size).toBe(1000);
      expect(await file.read(313, 257)).toEqual(BYTES.slice(313, 570));
      expect((await file.read(313, 257)).buffer.byteLength).toBe(257);
      await expect(file.read(999, 2)).rejects.toMatchObject({
        code: "invalid-model",
        message: "file ends at byte 1000; 1001 bytes were expected.",
      });
      await expect(file.read(0, 1, AbortSignal.abort(REASON))).rejects.toBe(REASON);
      expect(seen).toHaveLength(1);
    });

    it("takes it compressed, in chunks, and empty", async () => {
      const compressed = await open((_, response) => {
        response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(BYTES));
      });
      expect(await compressed.read(0, 1000)).toEqual(BYTES);
      const chunked = await open((_, response) => {
        response.writeHead(200);
        for (let i = 0; i < 10; i++) response.write(BYTES.slice(i * 100, i * 100 + 100));
        response.end();
      });
      expect(await chunked.read(0, 1000)).toEqual(BYTES);
      expect((await open((_, response) => void response.writeHead(200).end())).size).toBe(0);
    });

    it("refuses more than 256 MiB, as announced, before they are sent", async () => {
      const opening = open((_, response) => {
        response.writeHead(200, { "content-length": 256 * MIB + 1 });
        response.write("x");
      });
      await expect(opening).rejects.toMatchObject({
        code: "network",
        message: `${origin}/model/file is sent as a whole, which is accepted up to ${256 * MIB} bytes; the server must support range requests.`,
      });
    });

    it("refuses more than 256 MiB that come unannounced", async () => {
      const opening = open((request, response) => {
        const chunk = new Uint8Array(4 * MIB);
        const send = (): void => {
          while (!request.destroyed && response.write(chunk));
        };
        response.writeHead(200);
        response.on("drain", send);
        send();
      });
      await expect(opening).rejects.toMatchObject({
        code: "network",
        message: expect.stringContaining("is sent as a whole"),
      });
    }, 60_000); // 256 MiB through a socket

    it("refuses a file that was cut", async () => {
      const opening = open((request, response) => {
        response.writeHead(200, { "content-length": 1000 });
        response.write(BYTES.slice(0, 40), () => request.socket.destroy());
      });
      await expect(opening).rejects.toMatchObject({ code: "network", message: expect.stringContaining("was cut off") });
    });
  });

  describe("without the file", () => {
    for (const code of [404, 410])
      it(`calls status ${code} a missing file`, async () => {
        await expect(open(status(code, "text/html"))).rejects.toMatchObject({
          code: "missing-file",
          message: `${origin}/model/file does not exist (status ${code}).`,
          details: { path: "file", status: code },
        });
        expect(await once(`${origin}/model/`).exists("file")).toBe(false);
      });

    it("calls a page that comes instead a missing file", async () => {
      await expect(open(status(200, "text/html; charset=utf-8"))).rejects.toMatchObject({
        code: "missing-file",
        message: `${origin}/model/file does not exist: the server sent an HTML page.`,
      });
      expect(await once(`${origin}/model/`).exists("file")).toBe(false);
    });

    for (const code of [401, 403, 429, 500, 503])
      it(`calls status ${code} a network error, also when asked whether it exists`, async () => {
        const failure = {
          code: "network",
          message: `${origin}/model/file answered with status ${code}.`,
          details: { path: "file", status: code },
        };
        await expect(open(status(code, "text/html"))).rejects.toMatchObject(failure);
        await expect(once(`${origin}/model/`).exists("file")).rejects.toMatchObject(failure);
      });

    it("calls status 416 a file that ends too early", async () => {
      await expect(open(status(416))).rejects.toMatchObject({
        code: "invalid-model",
        message: `${origin}/model/file has no byte 0 (status 416).`,
      });
      const file = await openThen(status(416));
      await expect(file.read(5, 10)).rejects.toMatchObject({ code: "invalid-model" });
    });

    it("calls a server that is not there, and one that hangs up, unreachable", async () => {
      const gone = createServer();
      await new Promise<void>((resolve) => gone.listen(0, "127.0.0.1", resolve));
      const { port } = gone.address() as AddressInfo;
      await new Promise((resolve) => gone.close(resolve));
      await expect(once(`http://127.0.0.1:${port}/`).open("file")).rejects.toMatchObject({
        code: "network",
        message: `http://127.0.0.1:${port}/file could not be reached.`,
        cause: expect.any(Error),
      });
      await expect(open((request) => void request.socket.destroy())).rejects.toMatchObject({
        code: "network",
        message: `${origin}/model/file could not be reached.`,
      });
    });

    it("tries again at the next open", async () => {
      routes = {};
      const source = once(`${origin}/model/`);
      await expect(source.open("file")).rejects.toMatchObject({ code: "missing-file" });
      routes = { "/model/file": ranges };
      expect((await source.open("file")).size).toBe(1000);
    });
  });

  describe("when aborted", () => {
    it("rejects with the reason before a request, and makes none", async () => {
      await expect(open(ranges, AbortSignal.abort(REASON))).rejects.toBe(REASON);
      const file = await open(ranges);
      await expect(file.read(0, 10, AbortSignal.abort(REASON))).rejects.toBe(REASON);
      expect(seen).toHaveLength(1);
    });

    it("rejects with the reason while it waits for an answer", async () => {
      const abort = new AbortController();
      await expect(open(() => abort.abort(REASON), abort.signal)).rejects.toBe(REASON);
    });

    it("rejects with the reason in the middle of a file and of a range", async () => {
      const halfway = (abort: AbortController, head: Parameters<ServerResponse["writeHead"]>): Handler => {
        return (_, response) => {
          response.writeHead(...head);
          response.write(BYTES.slice(0, 40), () => abort.abort(REASON));
        };
      };
      const first = new AbortController();
      await expect(open(halfway(first, [200]), first.signal)).rejects.toBe(REASON);
      const second = new AbortController();
      const file = await openThen(halfway(second, [206, { "content-range": "bytes 0-99/1000" }]));
      await expect(file.read(0, 100, second.signal)).rejects.toBe(REASON);
    });

    it("does not stop another reader of the file", async () => {
      const file = await open(ranges);
      const abort = new AbortController();
      const aborted = file.read(0, 10, abort.signal);
      const other = file.read(10, 10);
      abort.abort(REASON);
      await expect(aborted).rejects.toBe(REASON);
      expect(await other).toEqual(BYTES.slice(10, 20));
    });
  });

  describe("by address", () => {
    it("takes a folder with or without a slash at its end, as text or URL, with its query", async () => {
      routes = { "/model/part/file": ranges };
      for (const address of [
        `${origin}/model`,
        `${origin}/model/`,
        new URL(`${origin}/model`),
        `${origin}/model/?key=1`,
      ])
        expect((await once(address).open("part/file")).size).toBe(1000);
      expect(seen.map(({ url }) => url)).toEqual([
        ...Array.from({ length: 3 }, () => "/model/part/file"),
        "/model/part/file?key=1",
      ]);
    });

    for (const [address, message] of [
      ["model/", /must be absolute, for example .+; got model\/\.$/],
      ["/model/", /must be absolute/],
      ["", /must be absolute/],
      ["data:application/json,{}", /must be a folder; got data:/],
      ["blob:http://127.0.0.1/1-2-3", /must be a folder; got blob:/],
      ["file:///model/", /cannot be fetched\. In Node, give the path of the folder/],
    ] as const)
      it(`refuses ${JSON.stringify(address)} as a folder`, () =>
        expect(() => once(address)).toThrowError(
          expect.objectContaining({
            code: "invalid-request",
            message: expect.stringMatching(message) as string,
            details: { parameter: "model" },
          }),
        ));
  });

  describe("by a list of files", () => {
    it("takes texts and URLs, of which there are those that are listed", async () => {
      routes = { "/a": ranges, "/b": whole };
      const source = once({ "part/a": `${origin}/a`, b: new URL(`${origin}/b`), c: `${origin}/c` });
      expect((await source.open("part/a")).size).toBe(1000);
      expect((await source.open("b")).size).toBe(1000);
      expect(await source.exists("part/a")).toBe(true);
      for (const path of ["other", "constructor", "toString"]) {
        expect(await source.exists(path)).toBe(false);
        await expect(source.open(path)).rejects.toMatchObject({
          code: "missing-file",
          message: `${path} is not among the files of the model.`,
          details: { path },
        });
      }
      await expect(source.open("c")).rejects.toMatchObject({ code: "missing-file", details: { path: "c" } });
    });

    it("takes a list of texts that was cloned on its way to a worker", async () => {
      routes = { "/a": ranges };
      const cloned: ModelAddress = structuredClone({ a: `${origin}/a` });
      expect((await once(cloned).open("a")).size).toBe(1000);
    });

    it("reads data: addresses, to which bundlers turn small files", async () => {
      const url = `data:application/octet-stream;base64,${Buffer.from(BYTES).toString("base64")}`;
      const file = await once({ a: url }).open("a");
      expect(file.size).toBe(1000);
      expect(await file.read(313, 257)).toEqual(BYTES.slice(313, 570));
    });

    it("calls a blob: address that leads nowhere unreachable", async () => {
      const url = URL.createObjectURL(new Blob([BYTES]));
      URL.revokeObjectURL(url);
      await expect(once({ a: url }).open("a")).rejects.toMatchObject({
        code: "network",
        message: `${url} could not be reached.`,
      });
    });

    it("shortens long addresses in errors", async () => {
      const url = `${origin}/${"x".repeat(1000)}`;
      routes = { [`/${"x".repeat(1000)}`]: status(500) };
      const opening = once({ a: url }).open("a");
      await expect(opening).rejects.toMatchObject({ message: `${url.slice(0, 200)}… answered with status 500.` });
    });

    it("refuses relative addresses and addresses of the file system", () => {
      for (const url of ["a.json", "./a.json", "file:///a.json", new URL("file:///a.json")])
        expect(() => once({ a: url })).toThrowError(expect.objectContaining({ code: "invalid-request" }));
    });
  });
});
