import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { MediaStore } from "../../../runtime/task/media/media-store.ts";
import { ObjectUrls } from "../../../runtime/page/object-urls.ts";
import { parseResponse, serialiseTask } from "../../../runtime/task/runner/remote-json.ts";
import { type RemoteOptions, sendRemote } from "../../../runtime/task/runner/remote.ts";
import type { ResponseItem, TaskResponse } from "../../../runtime/task/schema/response.ts";
import { bytes, cut, type Handler, redirect, stall, TestServer } from "./http-server.ts";

const REASON = new Error("enough");
const ONE = "0e3c9a52-6d1e-4a64-9f0e-1c8a3a0f8a11";
const TWO = "1f5c9a52-6d1e-4a64-9f0e-1c8a3a0f8a22";
const task = (taskUUID: string, more: object = {}): object => ({ taskType: "imageInference", taskUUID, ...more });
const result = (taskUUID: string): object => ({ ...task(taskUUID), imageUUID: crypto.randomUUID(), seed: 1 });

/** The smallest PNG header that says a size. */
const PNG = Buffer.from("89504e470d0a1a0a0000000d4948445200000040000000400802000000", "hex");
const DATA_URI = `data:image/png;base64,${PNG.toString("base64")}`;

const json =
  (value: unknown, code = 200): Handler =>
  (_, response) =>
    void response.writeHead(code, { "content-type": "application/json" }).end(JSON.stringify(value));

let server: TestServer;
beforeAll(async () => void (server = await TestServer.start()));
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(() => {
  server.routes = {};
  server.seen = [];
});

const send = (tasks: unknown, options: RemoteOptions = {}): Promise<TaskResponse> =>
  sendRemote({ url: `${server.origin}/v1`, apiKey: "key" }, tasks, options);

describe("serialiseTask", () => {
  it("writes seeds with all their digits, from bigints and strings", () => {
    expect(serialiseTask({ seed: 2n ** 63n - 1n })).toBe('{"seed":9223372036854775807}');
    expect(serialiseTask({ seed: "9223372036854775807" })).toBe('{"seed":9223372036854775807}');
    expect(serialiseTask({ seed: "007" })).toBe('{"seed":7}');
    expect(serialiseTask({ seed: -5n, steps: 4 })).toBe('{"seed":-5,"steps":4}');
  });

  it("does not change text that is not a seed", () => {
    expect(serialiseTask({ seed: "1e3", positivePrompt: "12" })).toBe('{"seed":"1e3","positivePrompt":"12"}');
    expect(serialiseTask(undefined)).toBe("null");
  });

  it("is JSON that says the same for any value", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        // a nested value, so that none of its keys is a task's seed
        const tame = JSON.parse(JSON.stringify(value).replaceAll('"seed"', '"grain"')) as unknown;
        expect(JSON.parse(serialiseTask(tame))).toEqual(tame);
      }),
    );
  });

  it("writes any bigint exactly, beside any text", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }), fc.string(), (seed, text) => {
        expect(serialiseTask({ text, seed })).toBe(`{"text":${JSON.stringify(text)},"seed":${seed}}`);
      }),
    );
  });
});

describe("parseResponse", () => {
  for (const [text, seed] of [
    ['{"seed":9007199254740991}', 9_007_199_254_740_991],
    ['{"seed":9007199254740992}', "9007199254740992"],
    ['{"seed" : 9223372036854775807 }', "9223372036854775807"],
    ['{"seed":42}', 42],
    ['{"seed":1e20}', 1e20],
  ] as const)
    it(`keeps the seed of ${text}`, () => {
      expect(parseResponse(text)).toEqual({ seed });
    });

  it("changes no other field, not even one whose name ends so", () => {
    const text = '{"a\\"seed":9007199254740992,"seeds":9007199254740992}';
    expect(parseResponse(text)).toEqual({ 'a"seed': 2 ** 53, seeds: 2 ** 53 });
  });

  it("changes nothing within strings", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n }), (digits) => {
        for (const text of [`"seed":${digits}}`, `\\"seed":${digits},`, `seed":${digits}}`]) {
          const value = { text, [`${text}"seed`]: 1 };
          expect(parseResponse(JSON.stringify(value))).toEqual(value);
        }
      }),
    );
  });
});

describe("sendRemote", () => {
  it("posts the tasks with the key and gives back the server's answer", async () => {
    const data = [result(ONE), result(TWO)];
    const errors = [{ code: "invalidWidth", message: "width …", parameter: "width", ...task(TWO) }];
    server.routes = { "/v1": json({ data, errors }, 400) };
    const seen: ResponseItem[] = [];
    const tasks = [task(ONE, { seed: 2n ** 60n }), task(TWO)];
    expect(await send(tasks, { onResult: (item) => seen.push(item) })).toEqual({ data, errors });
    expect(seen).toEqual(data);
    expect(server.seen).toMatchObject([
      { method: "POST", headers: { "content-type": "application/json", authorization: "Bearer key" } },
    ]);
    expect(server.seen[0]!.body.toString()).toBe(
      `[{"taskType":"imageInference","taskUUID":"${ONE}","seed":1152921504606846976},${JSON.stringify(tasks[1])}]`,
    );
  });

  it("takes one task, and sends no key where there is none", async () => {
    server.routes = { "/v1": json({ data: [result(ONE)] }) };
    const answer = await sendRemote({ url: `${server.origin}/v1` }, task(ONE));
    expect(answer.data).toHaveLength(1);
    expect(JSON.parse(server.seen[0]!.body.toString())).toEqual([task(ONE)]);
    expect(server.seen[0]!.headers).not.toHaveProperty("authorization");
  });

  it("keeps large seeds of the answer", async () => {
    const text = `{"data":[{"taskType":"imageInference","taskUUID":"${ONE}","seed":9223372036854775807}]}`;
    server.routes = { "/v1": bytes(text) };
    expect((await send(task(ONE))).data).toEqual([task(ONE, { seed: "9223372036854775807" })]);
  });

  it("gives an error without a task to each of them", async () => {
    const error = { code: "invalidApiKey", message: "Invalid API key.", taskType: "authentication" };
    server.routes = { "/v1": json({ errors: [error] }, 401) };
    const reported: unknown[] = [];
    const { data, errors } = await send([task(ONE), task(TWO)], { onError: (error) => reported.push(error) });
    expect(data).toEqual([]);
    expect(errors).toEqual([ONE, TWO].map((uuid) => ({ ...error, ...task(uuid) })));
    expect(reported).toEqual(errors);
  });

  it("says of each task that was not answered that it was not", async () => {
    server.routes = { "/v1": json({ data: [result(ONE)] }) };
    const { data, errors } = await send([task(ONE), task(TWO)]);
    expect(data).toHaveLength(1);
    expect(errors).toMatchObject([{ code: "serviceUnavailable", ...task(TWO) }]);
  });

  for (const [name, handler, code, text] of [
    ["an error of HTTP", json("no", 500), "serviceUnavailable", "status 500"],
    ["no JSON", bytes("<html>"), "serviceUnavailable", "status 200"],
    ["nothing", bytes(""), "serviceUnavailable", "nothing"],
    ["JSON of another shape", json({ hello: 1 }), "serviceUnavailable", "hello"],
    ["a list", json([1]), "serviceUnavailable", "[1]"],
    ["status 401", json("", 401), "invalidApiKey", "status 401"],
    ["status 504", json("", 504), "timeout", "status 504"],
    ["a redirect", redirect("/other"), "serviceUnavailable", "redirects"],
    ["half of it", cut(100), "serviceUnavailable", "cut off"],
    ["nothing in time", stall(), "timeout", "within 0.05 s"],
    ["too much", bytes(" ".repeat(2001)), "serviceUnavailable", "at most 2000"],
  ] as const)
    it(`makes ${name} an error of each task`, async () => {
      server.routes = { "/v1": handler };
      const timeoutMs = name === "nothing in time" ? 50 : 10_000;
      const { data, errors } = await send([task(ONE), task(TWO)], { timeoutMs, maxBytes: 2000 });
      expect(data).toEqual([]);
      expect(errors).toMatchObject([
        { code, ...task(ONE) },
        { code, ...task(TWO) },
      ]);
      expect(errors[0]!.message).toContain(text);
      expect(server.seen).toHaveLength(1);
    });

  it("says that the server cannot be reached, or is no address", async () => {
    const other = await TestServer.start();
    const url = `${other.origin}/v1`;
    await other[Symbol.asyncDispose]();
    expect((await sendRemote({ url }, task(ONE))).errors[0]!.message).toContain("ECONNREFUSED");
    for (const address of ["", "v1", "file:///v1"])
      expect((await sendRemote({ url: address }, task(ONE))).errors[0]!.message).toContain("no http or https address");
  });

  it("throws the signal's reason", async () => {
    await expect(send(task(ONE), { signal: AbortSignal.abort(REASON) })).rejects.toBe(REASON);
    const controller = new AbortController();
    server.routes = { "/v1": () => controller.abort(REASON) };
    await expect(send(task(ONE), { signal: controller.signal })).rejects.toBe(REASON);
  });

  it("sends pictures of the store and object URLs along, and leaves the rest as it is", async () => {
    const store = new MediaStore({ urls: new ObjectUrls() });
    const { uuid } = store.put(PNG, "image/png");
    const object = URL.createObjectURL(new Blob([PNG]));
    const theirs = [crypto.randomUUID(), "https://example.org/a.png"];
    const [edit, upload] = [
      task(ONE, { inputs: { referenceImages: [uuid, store.urlOf(uuid), object, ...theirs], other: 1 } }),
      { taskType: "imageUpload", taskUUID: TWO, image: uuid },
    ];
    const before = structuredClone(edit);
    server.routes = { "/v1": json({ data: [result(ONE), result(TWO)] }) };
    await send([edit, upload], { store });
    expect(JSON.parse(server.seen[0]!.body.toString())).toEqual([
      task(ONE, { inputs: { referenceImages: [DATA_URI, DATA_URI, DATA_URI, ...theirs], other: 1 } }),
      { taskType: "imageUpload", taskUUID: TWO, image: DATA_URI },
    ]);
    expect(edit).toEqual(before);
    URL.revokeObjectURL(object);
  });

  it("does not send a task whose picture cannot be read, or that is no JSON, and sends the others", async () => {
    const store = new MediaStore();
    const circular: Record<string, unknown> = { ...task(ONE) };
    circular["self"] = circular;
    const broken = task(ONE, { inputs: { referenceImages: ["blob:nodedata:gone"] } });
    server.routes = { "/v1": json({ data: [result(TWO)] }) };
    const { data, errors } = await send([circular, broken, task(TWO)], { store });
    expect(JSON.parse(server.seen[0]!.body.toString())).toEqual([task(TWO)]);
    expect(data).toHaveLength(1);
    expect(errors).toMatchObject([
      { code: "validationFailed", ...task(ONE) },
      { code: "failedToTransferImage", parameter: "inputs.referenceImages[0]", ...task(ONE) },
    ]);
  });

  it("asks nobody when no task can be sent", async () => {
    const broken = task(ONE, { inputs: { referenceImages: ["blob:nodedata:gone"] } });
    expect((await send(broken, { store: new MediaStore() })).errors).toHaveLength(1);
    expect(server.seen).toEqual([]);
  });

  it("leaves tasks of any shape to the server", async () => {
    server.routes = { "/v1": json({ errors: [{ code: "validationFailed", message: "…" }] }, 400) };
    for (const tasks of [null, 5, "x", [[]], [{ inputs: 1 }], [{ inputs: { referenceImages: [1, null] } }]])
      expect((await send(tasks, { store: new MediaStore() })).errors).toHaveLength(1);
  });
});
