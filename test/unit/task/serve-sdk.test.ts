import { describe, expect, it } from "vitest";
import { deferred, untilAborted } from "../../support/deferred.ts";
import { FakeTaskRunner } from "../../support/fake-task-runner.ts";
import { serve } from "../../support/served.ts";
import { type Sdk, withSdk } from "../../support/sdk.ts";

const TINY_PNG =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const REQUEST = { positivePrompt: "a fox", model: "runware:400@4", width: 128, height: 128 } as const;

describe("the published client", { timeout: 20_000 }, () => {
  it("makes a picture from text", async () => {
    const runner = new FakeTaskRunner();
    const images = await withSdk(await serve({ runner }), (sdk) => sdk.requestImages({ ...REQUEST, steps: 4 }));
    expect(images).toMatchObject([{ taskType: "imageInference", imageUUID: expect.any(String), seed: 7 }]);
    expect(runner.calls[0]!.tasks).toEqual([
      { taskType: "imageInference", taskUUID: images![0]!.taskUUID, ...REQUEST, steps: 4, numberResults: 1 },
    ]);
  });

  it("edits with two references, a data URI and the UUID of an upload", async () => {
    const runner = new FakeTaskRunner();
    await withSdk(await serve({ runner }), async (sdk) => {
      const { imageUUID } = await sdk.imageUpload({ image: TINY_PNG });
      expect(runner.uploads.get(imageUUID as unknown as string)).toBe(TINY_PNG);
      const referenceImages = [TINY_PNG, imageUUID];
      const images = await sdk.requestImages({ ...REQUEST, inputs: { referenceImages } });
      expect(images).toHaveLength(1);
      expect(runner.calls.at(-1)!.tasks[0]).toMatchObject({ inputs: { referenceImages } });
    });
  });

  it("gets four results one by one", async () => {
    const seeds: number[] = [];
    const waits = [0, 1, 2, 3].map(() => deferred());
    waits[0]!.resolve();
    // the next picture is made when the client has shown the one before
    const runner = new FakeTaskRunner((index) => waits[index]!.promise);
    const images = await withSdk(await serve({ runner }), (sdk) =>
      sdk.requestImages({
        ...REQUEST,
        numberResults: 4,
        onPartialImages: (partial, error) => {
          expect(error).toBeUndefined();
          expect(partial).toHaveLength(1);
          seeds.push(partial[0]!.seed);
          waits[seeds.length]?.resolve();
        },
      }),
    );
    expect(seeds).toEqual([7, 8, 9, 10]);
    expect(images!.map(({ seed }) => seed)).toEqual([7, 8, 9, 10]);
  });

  it("rejects with the error object of an invalid request, and goes on", async () => {
    await withSdk(await serve(), async (sdk) => {
      await expect(sdk.requestImages({ ...REQUEST, width: 64 })).rejects.toEqual({
        error: {
          code: "invalidWidth",
          message: "Too small.",
          parameter: "width",
          type: "integer",
          min: 128,
          taskType: "imageInference",
          taskUUID: expect.any(String),
        },
      });
      expect(await sdk.requestImages(REQUEST)).toHaveLength(1);
    });
  });

  it("rejects a task type that there is not", async () => {
    await withSdk(await serve(), async (sdk) => {
      const caption = sdk.caption({ inputImage: "data:," });
      await expect(caption).rejects.toMatchObject({ error: { code: "unsupportedTaskType", taskType: "caption" } });
    });
  });

  it("gets the results of an asynchronous task with getResponse, also over another connection", async () => {
    const url = await serve();
    const taskUUID = crypto.randomUUID();
    const asked = { ...REQUEST, taskUUID, deliveryMethod: "async", numberResults: 3 } as const;
    const acknowledged = await withSdk(url, (sdk) => sdk.requestImages(asked));
    expect(acknowledged).toEqual([{ taskType: "imageInference", taskUUID }]);
    const results = await withSdk(url, (sdk) => sdk.getResponse({ taskUUID }));
    expect(results).toMatchObject([7, 8, 9].map((seed) => ({ taskUUID, seed, status: "success" })));
  });

  it("aborts by disconnecting", async () => {
    const aborted = deferred<unknown>();
    const runner = new FakeTaskRunner((_, signal) => {
      signal!.addEventListener("abort", () => aborted.resolve(signal!.reason));
      return untilAborted(signal);
    });
    const url = await serve({ runner });
    const abandon = async (sdk: Sdk): Promise<void> => {
      const started = runner.nextCall();
      sdk.requestImages({ ...REQUEST, retry: 1 }).catch(() => {}); // it goes on waiting for its time-out
      await started;
    };
    await withSdk(url, abandon, { timeoutDuration: 1000 });
    expect(await aborted.promise).toMatchObject({ name: "AbortError" });
  });

  it("gets an error for a wrong key, and access with the right one", async () => {
    const url = await serve({ apiKey: "secret" });
    await expect(withSdk(url, (sdk) => sdk.requestImages(REQUEST), { apiKey: "wrong" })).rejects.toMatchObject({
      error: { code: "invalidApiKey", taskType: "authentication" },
    });
    expect(await withSdk(url, (sdk) => sdk.requestImages(REQUEST), { apiKey: "secret" })).toHaveLength(1);
  });
});
