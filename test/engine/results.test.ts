import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Engine, EngineEvent } from "../../runtime/engine/engine.ts";
import type { GenerateRequest } from "../../runtime/request/request.ts";
import { openNano, randomPicture, runEngine, TINY } from "../support/nano.ts";

const MAX_SEED = 2n ** 63n - 1n;

describe("several pictures of one request", () => {
  let engine: Engine;
  beforeAll(async () => {
    // no references fit this budget, so they are shared only within the run
    engine = await openNano({ referenceCacheBytes: 0 });
  });
  afterAll(() => engine.dispose());

  async function run(request: GenerateRequest, signal?: AbortSignal): Promise<EngineEvent[]> {
    const events = [];
    for await (const event of engine.generate({ ...TINY, ...request }, signal)) events.push(event);
    return events;
  }
  const results = (events: readonly EngineEvent[]) => events.filter((event) => event.type === "result");

  it("share the encoding of prompt and references, and have the seeds that follow", async () => {
    const request = { ...TINY, prompt: "a red fox", references: [randomPicture(1)], results: 3, seed: 7 };
    const misses = engine.info.referenceCache.misses;
    const events = await run(request);
    const one = (result: number): string[] => [`step ${result}`, `decode ${result}`, `result ${result}`];
    expect(events.map((event) => ("result" in event ? `${event.type} ${event.result}` : event.type))).toEqual([
      "encode",
      "encode",
      ...[0, 1, 2].flatMap(one),
    ]);
    expect(engine.info.referenceCache).toMatchObject({ misses: misses + 1, entries: 0 });
    const pictures = results(events);
    expect(pictures.map(({ report, metadata }) => [report.seed, metadata.seed])).toEqual([
      ["7", "7"],
      ["8", "8"],
      ["9", "9"],
    ]);
    expect(pictures[0]!.report.timings).toHaveProperty("references");
    expect(pictures[1]!.report.timings).not.toHaveProperty("references");
    const alone = await runEngine(engine, { ...request, results: 1, seed: 9 });
    expect(pictures[2]!.image.data).toEqual(alone.image.data);
    expect(pictures[1]!.image.data).not.toEqual(alone.image.data);
  });

  it("wrap to 0 after the largest seed", async () => {
    const pictures = results(await run({ ...TINY, results: 2, seed: MAX_SEED }));
    expect(pictures.map(({ report }) => report.seed)).toEqual([MAX_SEED.toString(), "0"]);
  });

  it("arrive one by one: an abort after the first keeps it and frees the memory of the run", async () => {
    await run(TINY);
    const before = engine.info.memory.currentBytes;
    const abort = new AbortController();
    const events: EngineEvent[] = [];
    const running = (async () => {
      for await (const event of engine.generate({ ...TINY, results: 3 }, abort.signal)) {
        events.push(event);
        if (event.type === "result") abort.abort(new Error("enough"));
      }
    })();
    await expect(running).rejects.toThrow("enough");
    expect(results(events)).toHaveLength(1);
    expect(engine.info.memory.currentBytes).toBe(before);
  });

  it("are not made again when the GPU is lost after the first", async () => {
    const expected = results(await run({ ...TINY, results: 2 }));
    let lost = false;
    const events: EngineEvent[] = [];
    for await (const event of engine.generate({ ...TINY, results: 2 })) {
      events.push(event);
      if (event.type !== "result" || lost) continue;
      lost = true;
      engine.model.gpu.lost = { reason: "unknown", message: "simulated" } as GPUDeviceLostInfo;
    }
    const pictures = results(events);
    expect(pictures.map(({ result }) => result)).toEqual([0, 1]);
    expect(events.filter(({ type }) => type === "load").length).toBeGreaterThan(0);
    expect(pictures.map(({ image }) => image.data)).toEqual(expected.map(({ image }) => image.data));
    expect(pictures[1]!.report.warnings).toEqual([expect.stringMatching(/GPU was lost/)]);
  });
});
