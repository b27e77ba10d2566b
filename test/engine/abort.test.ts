import { describe, expect, it } from "vitest";
import { dawnGpu } from "../../runtime/node/dawn.ts";
import type { MemoryReport } from "../../runtime/gpu/memory.ts";
import { createKleinbild } from "../../runtime/node.ts";
import { openNano, randomPicture, runEngine, TINY } from "../support/nano.ts";
import { watchGpu } from "../support/watched-gpu.ts";

const REASON = new Error("enough");

/** Bytes by part of the engine's own; onnxruntime keeps a pool of buffers that fills at first use. */
function ownBytes({ byCategory }: MemoryReport): Record<string, number> {
  const parts = Object.entries(byCategory).filter(
    ([part, { currentBytes }]) => part !== "onnxruntime" && currentBytes > 0,
  );
  return Object.fromEntries(parts.map(([part, { currentBytes }]) => [part, currentBytes]));
}

describe("abort", () => {
  it("of loading rejects with the reason and leaves no buffer", async () => {
    const watch = watchGpu(await dawnGpu());
    for (const part of ["textEncoder", "transformer", "vae"]) {
      const abort = new AbortController();
      const loading = createKleinbild({
        backend: "wgsl",
        signal: abort.signal,
        onProgress: (event) => void (event.part === part && abort.abort(REASON)),
      });
      await expect(loading).rejects.toBe(REASON);
    }
    const abort = new AbortController();
    let submissions = 0;
    watch.onSubmit = () => void (++submissions === 1 && abort.abort(REASON));
    const engine = await openNano({ gpu: watch.gpu });
    expect(watch.liveBuffers()).toBeGreaterThan(0);
    await engine.dispose();
    expect(watch.liveBuffers()).toBe(0);
  });

  it("at any submission of a run rejects with the reason and frees the run's memory; the next run succeeds", async () => {
    const watch = watchGpu(await dawnGpu());
    const engine = await openNano({ gpu: watch.gpu, backend: "ort" });
    const request = { ...TINY, steps: 2, referenceMode: "recompute", references: [randomPicture(1)] } as const;
    const stages: string[] = [];
    let stage = "encode";
    watch.onSubmit = () => void stages.push(stage);
    const expected = await runEngine(engine, request, {
      onEvent: (event) => {
        if (event.type === "encode" && event.what === "references") stage = "step";
        if (event.type === "step" && event.step === 2) stage = "decode";
      },
    });
    const baseline = ownBytes(engine.info.memory);
    const total = stages.length;
    const reached = new Set<string>();
    for (let i = 1; i <= 8; i++) {
      const at = Math.floor((total * i) / 9);
      const abort = new AbortController();
      let submissions = 0;
      watch.onSubmit = () => void (submissions++ === at && abort.abort(REASON));
      // another prompt each time, so that it has to be encoded
      const run = runEngine(engine, { ...request, prompt: `${request.prompt} ${i}` }, { signal: abort.signal });
      await expect(run, `submission ${at} of ${total}`).rejects.toBe(REASON);
      reached.add(stages[at]!);
    }
    watch.onSubmit = () => {};
    expect([...reached].toSorted()).toEqual(["decode", "encode", "step"]);
    const again = await runEngine(engine, request);
    expect(again.image.data).toEqual(expected.image.data);
    const { textEncoder: _kept, ...rest } = ownBytes(engine.info.memory);
    const { textEncoder: _before, ...before } = baseline;
    expect(rest).toEqual(before);
    await engine.dispose();
    expect(watch.liveBuffers()).toBe(0);
  });

  it("before anything has begun, and of a queued run, rejects too", async () => {
    await using engine = await createKleinbild({ dtype: "f32", backend: "wgsl", warmUp: false });
    const aborted = engine.generate(TINY, { signal: AbortSignal.abort(REASON) });
    await expect(aborted.result).rejects.toBe(REASON);
    const abort = new AbortController();
    const first = engine.generate(TINY);
    const queued = engine.generate(TINY, { signal: abort.signal });
    abort.abort(REASON);
    await expect(queued.result).rejects.toBe(REASON);
    expect((await first.result).image.width).toBe(64);
  });

  it("of a loop over events, by break, leaves the run to its end", async () => {
    await using engine = await createKleinbild({ dtype: "f32", backend: "wgsl", warmUp: false });
    const generation = engine.generate(TINY);
    for await (const event of generation) if (event.type === "encode") break;
    expect((await generation.result).report.steps).toBe(1);
  });
});
