import { describe, expect, it } from "vitest";
import { createFetchHandler, type FetchHandlerOptions } from "../../../runtime/task/serve/fetch-handler.ts";
import { MediaStore } from "../../../runtime/task/media/media-store.ts";
import { untilAborted } from "../../support/deferred.ts";
import { FakeTaskRunner } from "../../support/fake-task-runner.ts";
import { TASK } from "./tasks.ts";

const URL_V1 = "http://127.0.0.1:8080/v1";
const JSON_TYPE = { "content-type": "application/json" };
const BAD = { ...TASK, taskUUID: "6f0c1d7e-8a4b-4c39-9d21-0e6f3b7a8c56", width: 64 };

interface Answer {
  readonly status: number;
  readonly body: { readonly data?: readonly object[]; readonly errors?: readonly { readonly code: string }[] };
}

async function post(body: unknown, options: FetchHandlerOptions = {}, init: RequestInit = {}): Promise<Answer> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const handler = createFetchHandler(new FakeTaskRunner(), options);
  const response = await handler(new Request(URL_V1, { method: "POST", body: text, headers: JSON_TYPE, ...init }));
  return { status: response.status, body: (await response.json()) as Answer["body"] };
}

describe("POST /v1", () => {
  it.each([
    ["one task", TASK],
    ["an array", [TASK]],
  ])("answers %s with its data and no errors", async (_, body) => {
    const answer = await post(body);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      data: [{ taskType: "imageInference", taskUUID: TASK.taskUUID, imageUUID: expect.any(String), seed: 7 }],
    });
  });

  it("is 200 with data and errors when one of two tasks is bad, 400 with errors only when both are", async () => {
    const mixed = await post([BAD, TASK]);
    expect(mixed.status).toBe(200);
    expect(mixed.body.data).toHaveLength(1);
    expect(mixed.body.errors).toMatchObject([{ code: "invalidWidth", taskUUID: BAD.taskUUID, min: 128 }]);
    const bad = await post([BAD, BAD]);
    expect(bad.status).toBe(400);
    expect(Object.keys(bad.body)).toEqual(["errors"]);
  });

  it.each([
    ["no JSON", "{"],
    ["no UTF-8", new Uint8Array([0x22, 0xff, 0x22])],
    ["nothing", ""],
  ])("is 400 invalidJSON for %s", async (_, body) => {
    const answer = await post("", {}, { body: body as BodyInit });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ code: "invalidJSON" }] } });
  });

  it.each([
    [1000, 400, "unsupportedTaskType"],
    [1001, 400, "tooManyTasks"],
  ])("takes an array of %i things with status %i and %s", async (count, status, code) => {
    const answer = await post(Array.from({ length: count }, () => 0));
    expect(answer).toMatchObject({ status });
    expect(answer.body.errors![0]!.code).toBe(code);
  });

  it.each([
    ["application/json; charset=utf-8", 200],
    ["Application/JSON", 200],
    ["text/plain", 415],
    ["application/jsonx", 415],
    ["multipart/form-data", 415],
  ])("answers content type %s with %i", async (type, status) => {
    expect((await post(TASK, {}, { headers: { "content-type": type } })).status).toBe(status);
  });

  it("refuses encoded bodies", async () => {
    expect((await post(TASK, {}, { headers: { ...JSON_TYPE, "content-encoding": "gzip" } })).status).toBe(415);
  });

  it("accepts a body at the limit and refuses one byte more, whatever its header says", async () => {
    const text = JSON.stringify(TASK);
    expect((await post(text, { maxBodyBytes: text.length })).status).toBe(200);
    expect(await post(text, { maxBodyBytes: text.length - 1 })).toMatchObject({
      status: 413,
      body: { errors: [{ code: "requestTooLarge" }] },
    });
    const headers = { ...JSON_TYPE, "content-length": "1" };
    expect((await post(text, { maxBodyBytes: text.length - 1 }, { headers })).status).toBe(413);
  });

  it("stops reading where the limit is exceeded", async () => {
    let pulled = 0;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        pulled++;
        controller.enqueue(new Uint8Array(10));
      },
    });
    const init: RequestInit & { readonly duplex: "half" } = { body, duplex: "half" };
    expect((await post("", { maxBodyBytes: 25 }, init)).status).toBe(413);
    expect(pulled).toBeLessThanOrEqual(4); // the third chunk is beyond, one more may wait in the stream
  });
});

describe("the key", () => {
  const options = { apiKey: "secret" };
  const bearer = (key: string): RequestInit => ({ headers: { ...JSON_TYPE, authorization: `Bearer ${key}` } });
  const authentication = (apiKey: unknown): object => ({ taskType: "authentication", apiKey });

  it("is taken from the header", async () => {
    expect((await post(TASK, options, bearer("secret"))).status).toBe(200);
    expect((await post(TASK, options, bearer("secre"))).status).toBe(401);
    expect((await post(TASK, options, bearer("secrett"))).status).toBe(401);
  });

  it("is taken from an authentication task, which is no task of the runner", async () => {
    const answer = await post([authentication("secret"), TASK], options);
    expect(answer.status).toBe(200);
    expect(answer.body.data).toHaveLength(1);
    expect((await post([authentication("other"), TASK], options)).status).toBe(401);
    expect((await post([authentication(["secret"]), TASK], options)).status).toBe(401);
  });

  it("missing or wrong, is answered as the hosted API does", async () => {
    const answer = await post(TASK, options);
    expect(answer.status).toBe(401);
    expect(answer.body).toEqual({
      errors: [
        {
          code: "invalidApiKey",
          message: expect.stringContaining("API key"),
          parameter: "apiKey",
          type: "string",
          taskType: "authentication",
        },
      ],
    });
  });

  it("is not asked for where there is none, and any is taken", async () => {
    expect((await post(TASK, {}, bearer("any"))).status).toBe(200);
    expect((await post([authentication("any"), TASK])).status).toBe(200);
  });
});

describe("other requests", () => {
  const handler = createFetchHandler(new FakeTaskRunner());

  it.each(["GET", "PUT", "DELETE", "PATCH"])("answers %s with 405 and the allowed methods", async (method) => {
    const response = await handler(new Request(URL_V1, { method }));
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("POST");
  });

  it.each(["http://127.0.0.1/", "http://127.0.0.1/v1/", "http://127.0.0.1/v11", "http://127.0.0.1/v1/media/x.png"])(
    "answers %s with 404",
    async (url) => {
      const response = await handler(new Request(url, { method: "POST", body: "{}", headers: JSON_TYPE }));
      expect(response.status).toBe(404);
      expect(await response.json()).toMatchObject({ errors: [{ code: "notFound" }] });
    },
  );

  it("answers at another path where one is given", async () => {
    const moved = createFetchHandler(new FakeTaskRunner(), { path: "/api/tasks" });
    const init = { method: "POST", body: JSON.stringify(TASK), headers: JSON_TYPE };
    expect((await moved(new Request("http://127.0.0.1/api/tasks", init))).status).toBe(200);
    expect((await moved(new Request(URL_V1, init))).status).toBe(404);
  });
});

describe("GET /v1/media", () => {
  const media = new MediaStore();
  const handler = createFetchHandler(new FakeTaskRunner(), { media, apiKey: "secret" });
  const get = (uuid: string, method = "GET"): Promise<Response> =>
    handler(new Request(`${URL_V1}/media/${uuid}.png`, { method }));

  it("gives a stored picture without a key, not to be guessed at", async () => {
    const { uuid } = media.put(new Uint8Array([1, 2, 3]), "image/png");
    const response = await get(uuid);
    expect(response.status).toBe(200);
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(new Uint8Array([1, 2, 3]));
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "image/png",
      "content-length": "3",
      "x-content-type-options": "nosniff",
    });
    const head = await get(uuid, "HEAD");
    expect(head.headers.get("content-length")).toBe("3");
    expect((await head.arrayBuffer()).byteLength).toBe(0);
  });

  it("says nothing of a type that browsers would run", async () => {
    const { uuid } = media.put(new Uint8Array([1]), "image/svg+xml");
    expect((await get(uuid)).headers.get("content-type")).toBe("application/octet-stream");
  });

  it("answers 404 for unknown paths and 405 for other methods", async () => {
    expect((await get(crypto.randomUUID())).status).toBe(404);
    const response = await get(crypto.randomUUID(), "POST");
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("GET, HEAD");
  });
});

describe("an abort of the request", () => {
  it("aborts its tasks and rejects with the signal's reason", async () => {
    const never = new FakeTaskRunner((_, signal) => untilAborted(signal));
    const controller = new AbortController();
    const started = never.nextCall();
    const request = { method: "POST", body: JSON.stringify(TASK), headers: JSON_TYPE, signal: controller.signal };
    const response = createFetchHandler(never)(new Request(URL_V1, request));
    await started;
    const reason = new Error("enough");
    controller.abort(reason);
    await expect(response).rejects.toBe(reason);
    expect(never.calls[0]!.signal!.reason).toBe(reason);
  });

  it("before it begins, starts nothing", async () => {
    const runner = new FakeTaskRunner();
    const request = { method: "POST", body: JSON.stringify(TASK), headers: JSON_TYPE, signal: AbortSignal.abort("no") };
    await expect(createFetchHandler(runner)(new Request(URL_V1, request))).rejects.toBe("no");
    expect(runner.calls).toHaveLength(0);
  });

  it("after the answer, is nothing to the tasks, which may go on asynchronously", async () => {
    const runner = new FakeTaskRunner();
    const controller = new AbortController();
    const request = { method: "POST", body: JSON.stringify(TASK), headers: JSON_TYPE, signal: controller.signal };
    await createFetchHandler(runner)(new Request(URL_V1, request));
    controller.abort();
    expect(runner.calls[0]!.signal!.aborted).toBe(false);
  });
});

describe("a runner that throws", () => {
  it("is answered with 500 in the API's shape", async () => {
    const handler = createFetchHandler({ runTasks: () => Promise.reject(new Error("a bug")) });
    const response = await handler(new Request(URL_V1, { method: "POST", body: "[]", headers: JSON_TYPE }));
    expect(response.status).toBe(500);
    expect(await response.json()).toEqual({ errors: [{ code: "internalServerError", message: "a bug" }] });
  });
});
