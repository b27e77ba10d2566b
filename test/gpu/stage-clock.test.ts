import { describe, expect, it, vi } from "vitest";
import { silu } from "../../kernels/index.ts";
import type { Gpu } from "../../runtime/gpu/device.ts";
import { StageClock } from "../../runtime/gpu/stage-clock.ts";
import { elementGrid } from "../../runtime/gpu/workgroups.ts";
import { upload, useGpu } from "../support/gpu.ts";

/** Work that takes some milliseconds, and work that takes next to nothing. */
function dispatchMuch(gpu: Gpu): void {
  const count = 2 ** 18;
  const x = gpu.memory.tensor("activations", "x", "f32", [count]);
  const y = gpu.memory.tensor("activations", "y", "f32", [count]);
  for (let i = 0; i < 10; i++)
    gpu.recorder.dispatch(silu, { bindings: { x, y }, parameters: { count }, grid: elementGrid(silu, count) });
  gpu.recorder.flush();
  gpu.memory.freeTensors(x, y);
}

function dispatchLittle(gpu: Gpu): void {
  const x = upload(gpu, "f32", [1], [0]);
  gpu.recorder.dispatch(silu, {
    bindings: { x, y: upload(gpu, "f32", [1], [0]) },
    parameters: { count: 1 },
    grid: [1],
  });
}

/** A device as one without timestamps has it: times are the host's. */
function withoutTimestamps(gpu: Gpu): StageClock {
  const features = new Set([...gpu.device.features].filter((feature) => feature !== "timestamp-query"));
  const device = new Proxy(gpu.device, {
    get: (target, key) => (key === "features" ? features : Reflect.get(target, key, target)),
  });
  return new StageClock(device, gpu.memory, gpu.recorder);
}

describe.each(["the GPU's", "the host's"])("the stage clock by %s time", (time) => {
  const gpu = useGpu();
  const clocks = new Map<Gpu, StageClock>();
  const clock = (): StageClock => {
    const known = clocks.get(gpu()) ?? (time === "the GPU's" ? gpu().clock : withoutTimestamps(gpu()));
    clocks.set(gpu(), known);
    return known;
  };

  it("gives each stage its own time, more for more work", async () => {
    await clock().time("little", async () => dispatchLittle(gpu()));
    await clock().time("much", async () => dispatchMuch(gpu()));
    const times = await clock().collect();
    expect(Object.keys(times)).toEqual(["little", "much"]);
    expect(times["little"]).toBeGreaterThanOrEqual(0);
    expect(times["much"]).toBeGreaterThan(times["little"]!);
  });

  it("adds the times of one name, and holds a stage within another in both", async () => {
    await clock().time("outer", async () => {
      for (let i = 0; i < 3; i++) await clock().time("inner", async () => dispatchMuch(gpu()));
    });
    await clock().time("one", async () => dispatchLittle(gpu()));
    const { outer, inner, one } = await clock().collect();
    // timestamps are whole nanoseconds; their sum in milliseconds is rounded
    const nanoseconds = (milliseconds: number): number => Math.round(milliseconds * 1e6);
    expect(nanoseconds(outer!)).toBeGreaterThanOrEqual(nanoseconds(inner!));
    expect(inner).toBeGreaterThan(one!);
  });

  it("gives what the work gives, throws what it throws, and counts no stage that threw", async () => {
    expect(await clock().time("good", async () => 42)).toBe(42);
    const stopped = new Error("stopped");
    await expect(clock().time("bad", () => Promise.reject(stopped))).rejects.toBe(stopped);
    expect(Object.keys(await clock().collect())).toEqual(["good"]);
  });

  it("starts over after collect and after reset", async () => {
    await clock().time("first", async () => undefined);
    await clock().collect();
    expect(await clock().collect()).toEqual({});
    await clock().time("second", async () => undefined);
    clock().reset();
    await clock().time("third", async () => undefined);
    expect(Object.keys(await clock().collect())).toEqual(["third"]);
  });

  it("keeps no memory", async () => {
    const before = gpu().memory.report().currentBytes;
    await clock().time("stage", async () => undefined);
    await clock().collect();
    expect(gpu().memory.report().currentBytes).toBe(before);
  });
});

describe("the stage clock beyond one query set", () => {
  const gpu = useGpu();

  it.each([255, 256, 257, 600])("takes %d stages within one, whose times fit into it", async (count) => {
    await gpu().checked("stages", () =>
      gpu().clock.time("all", async () => {
        for (let i = 0; i < count; i++) await gpu().clock.time("each", async () => undefined);
      }),
    );
    const { all, each } = await gpu().checked("collect", () => gpu().clock.collect());
    expect(each).toBeGreaterThanOrEqual(0);
    expect(all).toBeGreaterThanOrEqual(each!);
    expect(all).toBeLessThan(60_000); // two clocks mixed would be off by the time since the machine was started
  });

  it("reuses its query sets", async () => {
    const createQuerySet = vi.spyOn(gpu().device, "createQuerySet");
    for (let run = 0; run < 3; run++) {
      for (let i = 0; i < 300; i++) await gpu().clock.time("each", async () => undefined);
      await gpu().clock.collect();
    }
    expect(createQuerySet.mock.calls.length).toBeLessThanOrEqual(2);
    createQuerySet.mockRestore();
  });
});
