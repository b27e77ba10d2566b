import { describe, expect, it } from "vitest";
import { stageView } from "../../../demo/make/stage-view.ts";
import type { EngineState } from "../../../demo/state/engine-session.ts";
import type { Picture } from "../../../demo/state/picture.ts";
import type { Job } from "../../../demo/state/run-queue.ts";
import type { ModelConfig } from "../../../runtime/index.ts";
import { SMALL_CONFIG } from "../../support/model-config.ts";
import { fakeJob, fakePicture } from "./picture.ts";

function viewOf({
  shown,
  job,
  state = { status: "closed" },
  model,
}: {
  readonly shown?: Picture;
  readonly job?: Job;
  readonly state?: EngineState;
  readonly model?: ModelConfig;
}) {
  const running = job?.status === "running" ? job : undefined;
  return stageView({ shown, queue: { running, latest: job }, session: { state, info: model && { model } } });
}

describe("what the stage shows", () => {
  it("is the model's loading while nothing is asked for", () => {
    expect(viewOf({ state: { status: "loading", progress: undefined } }).stage).toMatchObject({
      status: "Opening the model",
    });
    const progress = { type: "load", stage: "gpu", part: "vae", loadedBytes: 1024, totalBytes: 4096 } as const;
    expect(viewOf({ state: { status: "loading", progress } }).stage).toEqual({
      status: "Loading the model",
      done: 1024,
      of: 4096,
      note: "1 KiB of 4 KiB",
    });
    const read = { ...progress, loadedBytes: progress.totalBytes };
    expect(viewOf({ state: { status: "loading", progress: read } }).stage?.status).toBe("Preparing the GPU");
  });

  it("is the running job's progress, also while an earlier picture is looked at", () => {
    const job = fakeJob();
    expect(viewOf({ job, shown: fakePicture() })).toMatchObject({ stage: job.stage, over: undefined });
  });

  it("has no progress from the job's last picture on, since nothing more is to come", () => {
    const [first, second] = [fakePicture(), fakePicture()];
    const order = { request: () => ({ prompt: "a fox", results: 2 }) };
    const viewWith = (pictures: readonly Picture[]) =>
      viewOf({ job: fakeJob({ pictures }, order), shown: pictures.at(-1)!, model: SMALL_CONFIG });
    expect(viewWith([first]).stage).toBeDefined();
    expect(viewWith([first, second]).stage).toBeUndefined();
  });

  it("shows a finished job until the user looks at a picture of another one", () => {
    const [first, second] = [fakePicture(), fakePicture()];
    const job = fakeJob({ status: "cancelled", pictures: [first, second] });
    expect(viewOf({ job }).over).toBe(job);
    expect(viewOf({ job, shown: second })).toMatchObject({ over: job, results: [first, second] });
    expect(viewOf({ job, shown: fakePicture() })).toMatchObject({ over: undefined, results: [] });
  });

  it("offers a choice from two pictures on", () => {
    const picture = fakePicture();
    expect(viewOf({ job: fakeJob({ status: "done", pictures: [picture] }), shown: picture }).results).toEqual([]);
  });
});

describe("the shape of the frame", () => {
  it("is the picture's", () => {
    const { metadata } = fakePicture();
    const shown = fakePicture({ metadata: { ...metadata, width: 192, height: 64 } });
    expect(viewOf({ shown }).size).toMatchObject({ width: 192, height: 64 });
  });

  it("follows the preview, which is an eighth of the picture", () => {
    const preview = { width: 24, height: 16, data: new Uint8ClampedArray(24 * 16 * 4) };
    expect(viewOf({ job: fakeJob({ preview }) }).size).toEqual({ width: 192, height: 128 });
  });

  it("is the first reference's before there is a preview", () => {
    const reference = { id: "a", name: "a.png", file: new Blob(), width: 300, height: 200 };
    expect(viewOf({ job: fakeJob({}, { references: [reference] }) }).size).toMatchObject({ width: 300, height: 200 });
  });

  it("is not known before anything was asked for", () => {
    expect(viewOf({}).size).toBeUndefined();
  });
});
