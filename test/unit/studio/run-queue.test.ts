import { describe, expect, it } from "vitest";
import type { EngineState } from "../../../demo/state/engine-session.ts";
import type { Picture } from "../../../demo/state/picture.ts";
import { type EngineSource, type Order, RunQueue } from "../../../demo/state/run-queue.ts";
import { KleinbildError } from "../../../runtime/errors.ts";
import type { GenerateRequest, Kleinbild, RunReport } from "../../../runtime/index.ts";
import { deferred, untilAborted } from "../../support/deferred.ts";

/** A session whose engine makes a picture when the test says so. */
class FakeSession extends EventTarget implements EngineSource {
  state: EngineState = { status: "closed" };
  readonly failures: unknown[] = [];
  readonly runs: { readonly request: GenerateRequest; readonly finish: (report?: object) => void }[] = [];
  started = deferred();
  /** The error of a run after its picture. */
  failure: Error | undefined;

  async engine(): Promise<Kleinbild> {
    return {
      info: async () => ({ model: { distilled: true, defaultSteps: 4 } }),
      generate: (request: GenerateRequest, { signal }: { signal: AbortSignal }) => this.#run(request, signal),
    } as unknown as Kleinbild;
  }

  async refresh(): Promise<void> {}

  async reportFailure(error: unknown): Promise<void> {
    this.failures.push(error);
  }

  async *#run(request: GenerateRequest, signal: AbortSignal): AsyncGenerator {
    const finished = deferred<object>();
    this.runs.push({ request, finish: (report = {}) => finished.resolve(report) });
    this.started.resolve();
    const report = { ...REPORT, ...(await Promise.race([finished.promise, untilAborted(signal)])) };
    yield { type: "result", result: 0, image: { toBlob: async () => new Blob(), metadata: {} }, report };
    if (this.failure) throw this.failure;
  }

  /** When the next run has begun. */
  async next(): Promise<void> {
    await this.started.promise;
    this.started = deferred();
  }
}

const REPORT = {
  model: "m",
  seed: "5",
  referenceCache: { hit: false },
  timings: { decode: 1 },
} as unknown as RunReport;
const REFERENCE = { id: "r", name: "r.png", file: new Blob(), width: 1, height: 1 };

function orderOf(prompt: string, change: Partial<Order> = {}): Order {
  return { prompt, request: () => ({ prompt }), references: [], loras: [], live: false, ...change };
}

function open(): { session: FakeSession; queue: RunQueue; pictures: Picture[]; settled: () => Promise<void> } {
  const session = new FakeSession();
  const pictures: Picture[] = [];
  const queue = new RunQueue(session, (picture) => pictures.push(picture));
  const settled = (): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (queue.pending.length === 0) resolve();
      };
      queue.addEventListener("change", look);
      look();
    });
  return { session, queue, pictures, settled };
}

describe("the queue", () => {
  it("makes one order after the other", async () => {
    const { session, queue, pictures, settled } = open();
    queue.add(orderOf("first"));
    queue.add(orderOf("second"));
    await session.next();
    expect(queue.pending.map(({ status }) => status)).toEqual(["running", "waiting"]);
    session.runs[0]!.finish();
    await session.next();
    session.runs[1]!.finish({ seed: "9" });
    await settled();
    expect(session.runs.map(({ request }) => request.prompt)).toEqual(["first", "second"]);
    expect(pictures.map(({ request }) => request.seed)).toEqual(["5", "9"]);
    expect(queue.latest).toMatchObject({ status: "done", order: { prompt: "second" } });
  });

  it("cancels the running order, and goes on with the next", async () => {
    const { session, queue, pictures, settled } = open();
    queue.add(orderOf("first"));
    queue.add(orderOf("second"));
    await session.next();
    queue.cancel();
    await session.next();
    session.runs[1]!.finish();
    await settled();
    expect(pictures).toHaveLength(1);
    expect(session.failures).toEqual([]);
  });

  it("says from the first how far the model is that an order waits for", async () => {
    const { session, queue, settled } = open();
    const progress = { type: "load", stage: "gpu", part: "vae", loadedBytes: 100, totalBytes: 100 } as const;
    session.state = { status: "loading", progress };
    queue.add(orderOf("first"));
    expect(queue.running?.stage).toMatchObject({ status: "Preparing the GPU", done: 100, of: 100 });
    await session.next();
    session.runs[0]!.finish();
    await settled();
  });

  it("leaves the model alone when an order that waits for it is cancelled", async () => {
    const { session, queue, settled } = open();
    session.engine = () => new Promise(() => {});
    queue.add(orderOf("first"));
    queue.cancel();
    await settled();
    expect(queue.latest).toMatchObject({ status: "cancelled", pictures: [] });
    expect(session.failures).toEqual([]);
  });

  it("keeps the pictures that were made before an order failed, and says that it did", async () => {
    const { session, queue, pictures, settled } = open();
    const lost = new KleinbildError("device-lost", "The GPU was lost.");
    session.failure = lost;
    queue.add(orderOf("first"));
    await session.next();
    session.runs[0]!.finish();
    await settled();
    expect(queue.latest).toMatchObject({ status: "failed", error: lost, pictures });
    expect(pictures).toHaveLength(1);
    expect(session.failures).toEqual([lost]);
  });

  it("takes a waiting order out when it is cancelled", async () => {
    const { session, queue, settled } = open();
    queue.add(orderOf("first"));
    const second = queue.add(orderOf("second"));
    await session.next();
    queue.cancel(second);
    expect(queue.pending).toHaveLength(1);
    expect(queue.latest).toMatchObject({ status: "running", order: { prompt: "first" } });
    session.runs[0]!.finish();
    await settled();
    expect(session.runs).toHaveLength(1);
  });

  it("says what an order failed with, to the session as well, and takes the next", async () => {
    const { session, queue, settled } = open();
    const error = new KleinbildError("invalid-request", "steps must be less.", { parameter: "steps" });
    queue.add(
      orderOf("bad", {
        request: () => {
          throw error;
        },
      }),
    );
    await settled();
    expect(queue.latest).toMatchObject({ status: "failed", error });
    expect(session.failures).toEqual([error]);
    queue.add(orderOf("good"));
    await session.next();
    session.runs[0]!.finish();
    await settled();
    expect(queue.latest?.status).toBe("done");
  });

  it("knows what kept reference keys and values saved from when they were computed", async () => {
    const { session, queue, pictures, settled } = open();
    for (const order of ["computed", "reused"]) queue.add(orderOf(order, { references: [REFERENCE] }));
    await session.next();
    session.runs[0]!.finish({ timings: { references: 900 } });
    await session.next();
    session.runs[1]!.finish({ timings: { references: 100 }, referenceCache: { hit: true } });
    await settled();
    expect(pictures.map(({ savedMs }) => savedMs)).toEqual([undefined, 800]);
  });
});
