import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DISPATCH_LIMIT_MS, SUBMIT_TARGET_MS, WorkMeter } from "../../runtime/gpu/work-meter.ts";

/** A queue that ends its work on request, and a clock that a test moves. */
function fakeQueue() {
  const waiting: { readonly resolve: () => void; readonly reject: (reason: Error) => void }[] = [];
  const onSubmittedWorkDone = () =>
    new Promise<undefined>((resolve, reject) => waiting.push({ resolve: () => resolve(undefined), reject }));
  return {
    queue: { onSubmittedWorkDone } as unknown as GPUQueue,
    waiting,
    async finish(): Promise<void> {
      waiting.shift()!.resolve();
      await settled();
    },
    async fail(): Promise<void> {
      waiting.shift()!.reject(new Error("lost"));
      await settled();
    },
  };
}

async function settled(): Promise<void> {
  for (let i = 0; i < 4; i++) await Promise.resolve();
}

describe("the work meter", () => {
  let now = 0;
  beforeEach(() => {
    now = 0;
    vi.spyOn(performance, "now").mockImplementation(() => now);
  });
  afterEach(() => vi.restoreAllMocks());

  /** The work per millisecond that the meter assumes. */
  const rateOf = (meter: WorkMeter): number => meter.workPerDispatch / (DISPATCH_LIMIT_MS / 2);

  /** One submission of `work` that takes `ms`. */
  async function submit(meter: WorkMeter, fake: ReturnType<typeof fakeQueue>, work: number, ms: number): Promise<void> {
    meter.add(work);
    meter.submitted();
    now += ms;
    await fake.finish();
  }

  it("is due when the estimated time reaches the target, not before, and again after a submission", () => {
    const meter = new WorkMeter(fakeQueue().queue);
    const share = SUBMIT_TARGET_MS * rateOf(meter);
    expect(meter.due).toBe(false);
    meter.add(share * 0.999);
    expect(meter.due).toBe(false);
    meter.add(share * 0.001);
    expect(meter.due).toBe(true);
    meter.submitted();
    expect(meter.due).toBe(false);
    meter.add(share);
    meter.discarded();
    expect(meter.due).toBe(false);
  });

  it("gives a dispatch half of the longest time allowed", () => {
    const meter = new WorkMeter(fakeQueue().queue);
    expect(meter.workPerDispatch).toBeGreaterThan(SUBMIT_TARGET_MS * rateOf(meter));
    expect(meter.workPerDispatch).toBeLessThan(DISPATCH_LIMIT_MS * rateOf(meter));
  });

  it.each([0.1, 0.5, 2, 10])("comes near a GPU of %d times the assumed rate within ten submissions", async (factor) => {
    const fake = fakeQueue();
    const meter = new WorkMeter(fake.queue);
    const rate = rateOf(meter) * factor;
    for (let i = 0; i < 10; i++) {
      const work = SUBMIT_TARGET_MS * rateOf(meter);
      await submit(meter, fake, work, work / rate);
    }
    expect(rateOf(meter) / rate).toBeGreaterThan(0.9);
    expect(rateOf(meter) / rate).toBeLessThan(1.1);
  });

  it("finds a GPU that is so fast that a submission cannot be timed within six", async () => {
    const fake = fakeQueue();
    const meter = new WorkMeter(fake.queue);
    const rate = rateOf(meter) * 1000;
    for (let i = 0; i < 6; i++) {
      const work = SUBMIT_TARGET_MS * rateOf(meter);
      await submit(meter, fake, work, work / rate);
    }
    expect(rateOf(meter) / rate).toBeGreaterThan(0.5);
    expect(rateOf(meter) / rate).toBeLessThan(2);
  });

  it("learns nothing from little work that is done at once", async () => {
    const fake = fakeQueue();
    const meter = new WorkMeter(fake.queue);
    const before = rateOf(meter);
    for (let i = 0; i < 100; i++) await submit(meter, fake, 1000, 0.5);
    expect(rateOf(meter)).toBe(before);
  });

  it("times no submission without work", () => {
    const fake = fakeQueue();
    new WorkMeter(fake.queue).submitted();
    expect(fake.waiting).toHaveLength(0);
  });

  it("does not count the time that a submission waits for others", async () => {
    const fake = fakeQueue();
    const meter = new WorkMeter(fake.queue);
    const rate = rateOf(meter);
    const ms = 20;
    for (let round = 0; round < 20; round++) {
      for (let i = 0; i < 8; i++) {
        meter.add(ms * rate);
        meter.submitted();
      }
      for (let i = 0; i < 8; i++) {
        now += ms;
        await fake.finish();
      }
    }
    expect(rateOf(meter) / rate).toBeCloseTo(1, 5);
  });

  it("takes the time of several submissions that a busy host hears of together for all of them", async () => {
    const fake = fakeQueue();
    const meter = new WorkMeter(fake.queue);
    const rate = rateOf(meter);
    for (let round = 0; round < 50; round++) {
      for (let i = 0; i < 4; i++) {
        meter.add(rate);
        meter.submitted();
      }
      now += 25; // of which the GPU worked for four
      for (let i = 0; i < 4; i++) await fake.finish();
    }
    expect(rateOf(meter)).toBeGreaterThan((4 * rate) / 25 / 2);
    expect(rateOf(meter)).toBeLessThan(2 * rate);
  });

  it("keeps its rate when the device goes away, and times again afterwards", async () => {
    const fake = fakeQueue();
    const meter = new WorkMeter(fake.queue);
    const before = rateOf(meter);
    meter.add(1e9);
    meter.submitted();
    await fake.fail();
    expect(rateOf(meter)).toBe(before);
    await submit(meter, fake, 30 * before, 60);
    expect(rateOf(meter)).toBeLessThan(before * 0.75);
    expect(rateOf(meter)).toBeGreaterThan(before * 0.5);
  });
});
