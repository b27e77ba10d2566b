import { afterEach, describe, expect, it } from "vitest";
import { KleinbildError } from "../../../runtime/errors.ts";
import { makeTaskRunner, type TaskRunnerOptions } from "../../../runtime/task/runner/create-task-runner.ts";
import type { ImageItem, ResponseItem } from "../../../runtime/task/schema/response.ts";
import { FakeEngines, type FakeSource, tooWeak } from "../../support/fake-engine.ts";
import { inSharp, solidImage } from "../../support/images.ts";
import { type Fields, TASK } from "./tasks.ts";
import { TestServer } from "./http-server.ts";

const KV = "runware:400@6";
const BASE = "runware:400@3";
const uuid = (digit: number): string => `5f0c1d7e-8a4b-4c39-9d21-0e6f3b7a8c5${digit}`;
const task = (digit: number, fields: Fields = {}): Fields => ({
  ...TASK,
  taskUUID: uuid(digit),
  outputType: "base64Data",
  ...fields,
});
const PNG = async (): Promise<string> =>
  (
    await inSharp(solidImage(64, 64, [200, 30, 30, 255]))
      .png()
      .toBuffer()
  ).toString("base64");

describe("a task runner", () => {
  let engines = new FakeEngines();
  afterEach(() => (engines = new FakeEngines()));

  const runner = (options: TaskRunnerOptions<FakeSource> = { models: { [BASE]: { name: "base" } } }) =>
    makeTaskRunner(options, (source) => engines.create(source));

  it("answers each task; a bad one stops no other", async () => {
    const { data, errors } = await runner().runTasks([
      task(1, { width: 100 }),
      task(2, { seed: 5 }),
      { taskType: "upscale", taskUUID: uuid(3) },
      "no task",
      task(4, { seed: 6, includeCost: true }),
    ]);
    expect(data).toEqual([
      expect.objectContaining({ taskType: "imageInference", taskUUID: uuid(2), seed: 5 }),
      expect.objectContaining({ taskType: "imageInference", taskUUID: uuid(4), seed: 6, cost: 0 }),
    ]);
    expect(errors).toMatchObject([
      { code: "invalidWidth", parameter: "width", taskUUID: uuid(1), taskType: "imageInference" },
      { code: "unsupportedTaskType", parameter: "taskType", taskUUID: uuid(3) },
      { code: "missingTaskType", message: expect.stringMatching(/^A task must be an object with a taskType/) },
    ]);
    expect(data[0]).not.toHaveProperty("cost");
  });

  it("takes one task without an array, and answers none with nothing", async () => {
    expect((await runner().runTasks(task(1))).data).toHaveLength(1);
    expect(await runner().runTasks([])).toEqual({ data: [], errors: [] });
  });

  it("refuses a UUID that an earlier task of the request has", async () => {
    const { data, errors } = await runner().runTasks([task(1), task(1)]);
    expect(data).toHaveLength(1);
    expect(errors).toMatchObject([{ code: "conflictTaskUUID", taskUUID: uuid(1) }]);
  });

  it("names the known models, and the other problems of a task with an unknown model", async () => {
    const { errors } = await runner().runTasks([
      task(1, { model: "runware:400@9" }),
      task(2, { model: "runware:400@9", steps: 51 }),
      task(3, { model: undefined }),
    ]);
    expect(errors).toMatchObject([
      {
        code: "invalidModel",
        taskUUID: uuid(1),
        message: expect.stringMatching(/400@9.*runware:400@2.*runware:400@6/),
      },
      { code: "invalidSteps", taskUUID: uuid(2) },
      { code: "missingModel", taskUUID: uuid(3) },
    ]);
  });

  it("says what to provide for an id without weights, and uses a substitute only with a warning", async () => {
    const without = await runner({}).runTasks(task(1, { model: "runware:400@4" }));
    expect(without.errors).toMatchObject([
      { code: "modelUnavailable", parameter: "model", message: expect.stringMatching(/FLUX\.2-klein-4B.*models:/) },
    ]);
    const source = { name: "nano" };
    const standIn = runner({ standIn: ({ id }) => ({ source, warning: `nano is a substitute for ${id}.` }) });
    const { data } = await standIn.runTasks(task(1, { model: "runware:400@4" }));
    expect(data).toMatchObject([{ warnings: ["nano is a substitute for runware:400@4."], run: { model: "nano" } }]);
  });

  it("guides Base ids by trueCFGScale, else CFGScale, else 3.5, and distilled ids not at all", async () => {
    const models = { [BASE]: { name: "base" }, [KV]: { name: "kv" } };
    const { data } = await runner({ models }).runTasks([
      task(1, { CFGScale: 3.5, settings: { trueCFGScale: 4 }, negativePrompt: "rain" }),
      task(2, { CFGScale: 2 }),
      task(3),
      task(4, { CFGScale: 1, negativePrompt: "rain" }),
      task(5, { model: KV }),
      task(6, { model: KV, CFGScale: 3.5 }),
    ]);
    expect(engines.requests.map(({ guidance, steps, distilled }) => [guidance, steps, distilled])).toEqual([
      [4, 28, false],
      [2, 28, false],
      [3.5, 28, false],
      [null, 28, false],
      [null, 4, false],
      [null, 4, false],
    ]);
    expect(engines.requests.map(({ negativePrompt }) => negativePrompt)).toEqual([
      "rain",
      ...Array.from({ length: 5 }, () => undefined),
    ]);
    expect((data as ImageItem[]).map(({ warnings = [] }) => warnings.length)).toEqual([0, 0, 0, 1, 0, 1]);
  });

  it("passes accelerators of Base ids on as the engine's options, the preset's where no cache is named", async () => {
    const window = { cacheStartStep: 2, cacheEndStepPercentage: 50, cacheMaxConsecutiveSteps: 2 };
    await runner().runTasks([
      task(1, { acceleratorOptions: { fbCache: true, fbCacheThreshold: 0.1, ...window } }),
      task(2, { acceleratorOptions: { dbCache: true } }),
      task(3, { acceleration: "none" }),
      task(4, { acceleration: "high", acceleratorOptions: { cacheStartStep: 3 } }),
      task(5),
      task(6, { acceleration: "low", acceleratorOptions: { cacheEndStep: 2 } }),
    ]);
    const [first, second, third, fourth, fifth, sixth] = engines.requests.map(({ acceleration }) => acceleration);
    expect(first).toEqual({ method: "first-block", threshold: 0.1, startStep: 2, endStep: 14, maxConsecutive: 2 });
    expect(second).toMatchObject({ method: "dual-block", threshold: 0.25, skipInterval: 5, startStep: 0, endStep: 28 });
    expect([third, fifth]).toEqual(["none", undefined]);
    expect(fourth).toMatchObject({ startStep: 3 });
    expect(sixth).toMatchObject({ startStep: 1, endStep: 2 });
  });

  it("gives each result as soon as it is there", async () => {
    const seen: ResponseItem[] = [];
    const waiting: number[] = [];
    engines.beforePicture = async (index) => {
      await new Promise((resolve) => setImmediate(resolve));
      waiting[index] = seen.length;
    };
    const { data } = await runner().runTasks(task(1, { numberResults: 3, seed: 7 }), {
      onResult: (item) => seen.push(item),
    });
    expect(waiting).toEqual([0, 1, 2]);
    expect(seen).toEqual(data);
    expect((data as ImageItem[]).map(({ seed }) => seed)).toEqual([7, 8, 9]);
    expect(new Set((data as ImageItem[]).map(({ imageUUID }) => imageUUID)).size).toBe(3);
    expect(engines.requests).toHaveLength(1);
  });

  it("keeps seeds beyond 2^53 exactly, as digits", async () => {
    const { data } = await runner().runTasks([task(1, { seed: "9007199254740992" }), task(2, { seed: 2 ** 53 - 1 })]);
    expect((data as ImageItem[]).map(({ seed }) => seed)).toEqual(["9007199254740992", 2 ** 53 - 1]);
  });

  it("takes outputs and uploads as references, by UUID", async () => {
    const tasks = runner();
    const upload = await tasks.runTasks({ taskType: "imageUpload", taskUUID: uuid(1), image: await PNG() });
    expect(upload.data).toMatchObject([{ taskType: "imageUpload", taskUUID: uuid(1) }]);
    const { imageUUID } = upload.data[0] as ImageItem;
    const edit = task(2, { inputs: { referenceImages: [imageUUID, `data:image/png;base64,${await PNG()}`] } });
    expect((await tasks.runTasks(edit)).errors).toEqual([]);
    expect(engines.requests[0]!.references).toHaveLength(2);
    const gone = task(3, { inputs: { referenceImages: [imageUUID, uuid(9)] } });
    expect((await tasks.runTasks(gone)).errors).toMatchObject([
      { code: "failedToTransferImage", parameter: "inputs.referenceImages[1]", taskUUID: uuid(3) },
    ]);
  });

  it("finds LoRAs by the ids that the embedder gave them, and says which there are", async () => {
    const data = Uint8Array.of(1, 2);
    const tasks = runner({ models: { [BASE]: { name: "base" } }, loras: { "style:1@2": data } });
    const { errors } = await tasks.runTasks([
      task(1, { lora: [{ model: "style:1@2", weight: -1.5, transformer: "high" }] }),
      task(2, { lora: [{ model: "style:1@2" }, { model: "style:1@3" }] }),
    ]);
    expect(engines.requests.map(({ loras }) => loras)).toEqual([
      [{ data, name: "style:1@2", weight: -1.5, stages: "high" }],
    ]);
    expect(errors).toMatchObject([
      { code: "modelNotFound", parameter: "lora[1].model", message: expect.stringMatching(/registered are style:1@2/) },
    ]);
  });

  it("acknowledges an asynchronous task and answers getResponse while it runs and after", async () => {
    let proceed = (): void => {};
    engines.beforePicture = (index) => (index === 1 ? new Promise<void>((resolve) => (proceed = resolve)) : undefined);
    const tasks = runner();
    const poll = { taskType: "getResponse", taskUUID: uuid(1) };
    const { data } = await tasks.runTasks(task(1, { deliveryMethod: "async", numberResults: 2 }));
    expect(data).toEqual([{ taskType: "imageInference", taskUUID: uuid(1) }]);
    let answer = await tasks.runTasks(poll);
    while (!answer.data.some((item) => "seed" in item)) answer = await tasks.runTasks(poll);
    expect(answer.data).toMatchObject([{ status: "success" }, { status: "processing" }]);
    proceed();
    await tasks.idle();
    answer = await tasks.runTasks(poll);
    expect(answer.data).toMatchObject([{ status: "success" }, { status: "success" }]);
  });

  it("gives the error of an asynchronous task in getResponse", async () => {
    const failing = { name: "base", runFailure: new KleinbildError("out-of-memory", "The GPU is out of memory.") };
    const tasks = runner({ models: { [BASE]: failing } });
    await tasks.runTasks(task(1, { deliveryMethod: "async" }));
    let answer = await tasks.runTasks({ taskType: "getResponse", taskUUID: uuid(1) });
    while (answer.errors.length === 0) answer = await tasks.runTasks({ taskType: "getResponse", taskUUID: uuid(1) });
    expect(answer).toMatchObject({ data: [], errors: [{ taskUUID: uuid(1), code: "inferenceError" }] });
  });

  it("keeps the pictures of a task that were made before a later one failed", async () => {
    const source: { name: string; runFailure?: Error } = { name: "base" };
    engines.beforePicture = (index) => {
      if (index === 1) source.runFailure = new KleinbildError("not-finite", "NaN in the velocity.");
    };
    const { data, errors } = await runner({ models: { [BASE]: source } }).runTasks(
      task(1, { numberResults: 3, seed: 7 }),
    );
    expect(data).toMatchObject([{ taskUUID: uuid(1), seed: 7 }]);
    expect(errors).toMatchObject([{ taskUUID: uuid(1), code: "inferenceError" }]);
  });

  it("rejects with the signal's reason, and keeps earlier results", async () => {
    const abort = new AbortController();
    const seen: ResponseItem[] = [];
    const running = runner().runTasks([task(1, { numberResults: 3 }), task(2)], {
      signal: abort.signal,
      onResult: (item) => {
        seen.push(item);
        abort.abort(new Error("enough"));
      },
    });
    await expect(running).rejects.toThrow("enough");
    expect(seen).toHaveLength(1);
    expect(engines.requests).toHaveLength(1);
    await expect(runner().runTasks(task(1), { signal: AbortSignal.abort(new Error("never")) })).rejects.toThrow(
      "never",
    );
  });

  it("keeps one engine for one set of weights and frees it before another is loaded", async () => {
    const models = { [BASE]: { name: "base" }, [KV]: { name: "kv" } };
    const tasks = runner({ models });
    await tasks.runTasks([task(1), task(2), task(3, { model: KV }), task(4)]);
    await tasks.dispose();
    expect(engines.log).toEqual(["load base", "dispose base", "load kv", "dispose kv", "load base", "dispose base"]);
  });

  it("loads again after its engine's process died", async () => {
    const source: { name: string; runFailure?: Error } = { name: "base" };
    const tasks = runner({ models: { [BASE]: source } });
    source.runFailure = new KleinbildError("worker-died", "The engine's process ended.");
    expect((await tasks.runTasks(task(1))).errors).toMatchObject([{ code: "serviceUnavailable" }]);
    delete source.runFailure;
    expect((await tasks.runTasks(task(2))).data).toHaveLength(1);
    expect(engines.log).toEqual(["load base", "dispose base", "load base"]);
  });

  it("sends the error of a task to the webhook", async () => {
    await using server = await TestServer.start();
    server.routes = { "/hook": (_, response) => void response.writeHead(200).end() };
    const failing = { name: "base", runFailure: new KleinbildError("not-finite", "NaN in the velocity.") };
    await runner({ models: { [BASE]: failing } }).runTasks(task(1, { webhookURL: `${server.origin}/hook` }));
    expect(JSON.parse(server.seen[0]!.body.toString())).toMatchObject({
      errors: [{ taskUUID: uuid(1), code: "inferenceError" }],
    });
  });

  describe("with a remote server", () => {
    const remoteItem = {
      taskType: "imageInference",
      taskUUID: uuid(1),
      imageUUID: uuid(8),
      seed: 1,
      imageURL: "https://x/1",
    };

    async function withServer(
      options: (url: string) => TaskRunnerOptions<FakeSource>,
      use: (run: (fields?: Fields) => Promise<readonly [ResponseItem[], unknown[], number]>) => Promise<void>,
    ): Promise<void> {
      await using server = await TestServer.start();
      server.routes = {
        "/v1": (_, response) => {
          response.writeHead(200, { "content-type": "application/json" });
          response.end(JSON.stringify({ data: [remoteItem] }));
        },
      };
      const tasks = runner(options(`${server.origin}/v1`));
      await use(async (fields) => {
        const { data, errors } = await tasks.runTasks(task(1, fields));
        return [[...data], [...errors], server.seen.length];
      });
    }

    it("sends a task there when there are no weights or the adapter is too weak, and says so", async () => {
      for (const models of [{}, { [BASE]: { name: "base", loadFailure: tooWeak() } }])
        await withServer(
          (url) => ({ models, remote: { url } }),
          async (run) => {
            const [data, errors, asked] = await run();
            expect([data.length, errors, asked]).toEqual([1, [], 1]);
            expect((data[0] as ImageItem).warnings).toEqual([expect.stringMatching(/^Answered by 127\.0\.0\.1:\d+: /)]);
          },
        );
    });

    it("sends nothing again of which pictures were delivered, nor what only the task's own file lacks", async () => {
      const lacks = new KleinbildError("unsupported", "LoKr is not read.", { path: "style" });
      const weak: { name: string; runFailure?: Error } = { name: "base" };
      for (const source of [{ name: "base", runFailure: lacks }, weak])
        await withServer(
          (url) => ({ models: { [BASE]: source }, remote: { url } }),
          async (run) => {
            engines.beforePicture = (index) => {
              if (index === 1) weak.runFailure = tooWeak();
            };
            const [, errors, asked] = await run({ numberResults: 2 });
            expect([errors.length, asked]).toEqual([1, 0]);
          },
        );
    });

    it("does not send tasks that this machine can do, or invalid ones", async () =>
      withServer(
        (url) => ({ models: { [BASE]: { name: "base" } }, remote: { url } }),
        async (run) => {
          expect((await run())[2]).toBe(0);
          expect((await run({ inputs: { referenceImages: [uuid(9)] } }))[2]).toBe(0);
          expect((await run({ width: 1 }))[2]).toBe(0);
        },
      ));

    it("sends every valid task there when asked to", async () =>
      withServer(
        (url) => ({ models: { [BASE]: { name: "base" } }, remote: { url, when: "always" } }),
        async (run) => {
          expect((await run())[2]).toBe(1);
          expect((await run({ width: 1 }))[2]).toBe(1);
        },
      ));
  });
});
