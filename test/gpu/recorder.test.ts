import { describe, expect, it, vi } from "vitest";
import { accumulate, gatherBand, placeColumns, silu } from "../../kernels/index.ts";
import { randomValues } from "../support/compare.ts";
import { download, upload, useGpu } from "../support/gpu.ts";

describe("the recorder", () => {
  const gpu = useGpu();
  const tensor = (count: number) => gpu().memory.tensor("activations", "test", "f32", [count]);

  /** accumulator = a · accumulator + b · x for single values */
  function recordCombine(accumulator: ReturnType<typeof tensor>, x: typeof accumulator, a: number, b: number): void {
    gpu().recorder.dispatch(accumulate, {
      bindings: { accumulator, x },
      parameters: { count: 1, a, b },
      grid: [1],
    });
  }

  it("writes host values after what is recorded before and ahead of what is recorded later", async () => {
    const [x, sum] = [upload(gpu(), "f32", [1], [1]), upload(gpu(), "f32", [1], [0])];
    await gpu().checked("order", async () => {
      recordCombine(sum, x, 1, 1); // sees 1
      gpu().recorder.write(x, Float32Array.of(10));
      recordCombine(sum, x, 1, 1); // sees 10
      gpu().recorder.write(x, Float32Array.of(100));
    });
    expect(await gpu().recorder.readF32(sum)).toEqual(Float32Array.of(11));
  });

  it("writes at an offset and leaves the rest", async () => {
    const x = upload(gpu(), "f32", [4], [1, 2, 3, 4]);
    gpu().recorder.write(x, Float32Array.of(7, 8), 4);
    expect(await gpu().recorder.readF32(x)).toEqual(Float32Array.of(1, 7, 8, 4));
  });

  it("runs dispatches, copies and clears in the order in which they are recorded", async () => {
    const [a, b] = [upload(gpu(), "f32", [4], [1, 2, 3, 4]), upload(gpu(), "f32", [6], [9, 9, 9, 9, 9, 9])];
    await gpu().checked("order", async () => {
      gpu().recorder.copy(a, 1, b, 2, 2); // 9 9 2 3 9 9
      gpu().recorder.dispatch(accumulate, {
        bindings: { accumulator: a, x: b },
        parameters: { count: 4, a: 1, b: 10 }, // 91 92 23 34
        grid: [1],
      });
      gpu().recorder.clear(b);
      gpu().recorder.copy(a, 0, b, 0, 3);
    });
    expect(await gpu().recorder.readF32(a)).toEqual(Float32Array.of(91, 92, 23, 34));
    expect(await gpu().recorder.readF32(b)).toEqual(Float32Array.of(91, 92, 23, 0, 0, 0));
  });

  it("copies f16 by its own size", async () => {
    const [a, b] = [upload(gpu(), "f16", [4], [1, 2, 3, 4]), upload(gpu(), "f16", [4], [0, 0, 0, 0])];
    await gpu().checked("copy", async () => gpu().recorder.copy(a, 2, b, 0, 2));
    expect(await download(gpu(), b)).toEqual(Float32Array.of(3, 4, 0, 0));
  });

  it.each([255, 256, 257, 600])(
    "keeps the parameters of %d dispatches apart without a flush between",
    async (count) => {
      const [x, sum] = [upload(gpu(), "f32", [1], [1]), upload(gpu(), "f32", [1], [0])];
      await gpu().checked("many", async () => {
        for (let i = 1; i <= count; i++) recordCombine(sum, x, 1, i);
      });
      expect(await gpu().recorder.readF32(sum)).toEqual(Float32Array.of((count * (count + 1)) / 2));
    },
  );

  it("passes unsigned, signed and float parameters as such", async () => {
    const x = upload(gpu(), "f32", [1, 3, 1, 4], [5, 5, 5, 5, 6, 6, 6, 6, 7, 7, 7, 7]);
    const out = upload(gpu(), "f32", [16], new Float32Array(16));
    await gpu().checked("types", async () => {
      gpu().recorder.dispatch(gatherBand, {
        bindings: { x, affine: x, out },
        // row 3 of a target that starts at −2 is row 1; as an unsigned or float −2 it would be none
        parameters: { width: 1, quads: 1, source_first: 0, out_first: -2, row_begin: 3, row_count: 1 },
        grid: [1],
      });
      recordCombine(out, x, 1, -0.5);
    });
    const zeros = new Float32Array(11);
    expect(await gpu().recorder.readF32(out)).toEqual(Float32Array.of(-2.5, ...zeros, 6, 6, 6, 6));
  });

  it("reads back what is recorded and not submitted, again and again", async () => {
    const [x, sum] = [upload(gpu(), "f32", [1], [1]), upload(gpu(), "f32", [1], [0])];
    for (const expected of [1, 2, 3]) {
      recordCombine(sum, x, 1, 1);
      expect(await gpu().recorder.readF32(sum)).toEqual(Float32Array.of(expected));
    }
  });

  it("frees the buffer that it reads through", async () => {
    const x = upload(gpu(), "f32", [64], randomValues(64));
    const before = gpu().memory.report().currentBytes;
    await gpu().recorder.read(x);
    expect(gpu().memory.report().currentBytes).toBe(before);
  });

  it("does nothing for an empty grid", async () => {
    const x = upload(gpu(), "f32", [1], [3]);
    await gpu().checked("empty", async () =>
      gpu().recorder.dispatch(silu, { bindings: { x, y: x }, parameters: { count: 0 }, grid: [0] }),
    );
    expect(await gpu().recorder.readF32(x)).toEqual(Float32Array.of(3));
  });

  it("takes a grid of 65 535 workgroups in a direction, and refuses more", async () => {
    const call = (x: number, y: number) => ({
      bindings: { x: upload(gpu(), "f32", [1], [3]), y: tensor(1) },
      parameters: { count: 1 },
      grid: [x, y] as const,
    });
    await gpu().checked("grid", async () => gpu().recorder.dispatch(silu, call(65_535, 1)));
    for (const [x, y] of [
      [65_536, 1],
      [1, 65_536],
    ] as const)
      expect(() => gpu().recorder.dispatch(silu, call(x, y))).toThrow(
        expect.objectContaining({ code: "invalid-shape" }) as Error,
      );
  });

  it("refuses a call without one of the parameters, and goes on with the next", async () => {
    const [x, sum] = [upload(gpu(), "f32", [1], [1]), upload(gpu(), "f32", [1], [0])];
    const parameters = { count: 1, a: 1 } as { count: number; a: number; b: number };
    const call = { bindings: { x, accumulator: sum }, parameters, grid: [1] } as const;
    for (let i = 0; i < 300; i++)
      // more than there are slots
      expect(() => gpu().recorder.dispatch(accumulate, call)).toThrow("parameter b is missing");
    await gpu().checked("next", async () => recordCombine(sum, x, 1, 1));
    expect(await gpu().recorder.readF32(sum)).toEqual(Float32Array.of(1));
  });

  it("drops the recorded commands on request, and goes on with the next", async () => {
    const [x, sum] = [upload(gpu(), "f32", [1], [1]), upload(gpu(), "f32", [1], [0])];
    for (let i = 0; i < 10; i++) recordCombine(sum, x, 1, 1000);
    gpu().recorder.discard();
    await gpu().checked("next", async () => recordCombine(sum, x, 1, 1));
    expect(await gpu().recorder.readF32(sum)).toEqual(Float32Array.of(1));
  });

  it("waits in settle until the GPU has done all that is recorded", async () => {
    const done = vi.spyOn(gpu().device.queue, "onSubmittedWorkDone");
    const [x, sum] = [upload(gpu(), "f32", [1], [1]), upload(gpu(), "f32", [1], [0])];
    recordCombine(sum, x, 1, 1);
    await gpu().recorder.settle();
    expect(done).toHaveBeenCalledOnce();
    done.mockRestore();
  });
});

describe("submissions of the recorder", () => {
  const gpu = useGpu();

  it("are closed when their work reaches the target time, and not before", async () => {
    const { recorder, device } = gpu();
    const submit = vi.spyOn(device.queue, "submit");
    const x = upload(gpu(), "f32", [1], [0]);
    const y = upload(gpu(), "f32", [1], [0]);
    submit.mockClear();
    const share = (30 / 50) * recorder.meter.workPerDispatch; // 30 ms of work: a dispatch may have 50
    const dispatch = (work: number) =>
      recorder.dispatch(silu, { bindings: { x, y }, parameters: { count: 1 }, grid: [1], work });
    dispatch(0);
    dispatch(share * 0.4);
    dispatch(share * 0.4);
    expect(submit).not.toHaveBeenCalled();
    dispatch(share * 0.3);
    expect(submit).toHaveBeenCalledOnce();
    dispatch(0);
    expect(submit).toHaveBeenCalledOnce();
    recorder.flush();
    expect(submit).toHaveBeenCalledTimes(2);
    recorder.flush(); // nothing is recorded
    expect(submit).toHaveBeenCalledTimes(2);
    submit.mockRestore();
    await recorder.settle();
  });

  it("are at most two ahead of the GPU where they are throttled", async () => {
    const { recorder, device } = gpu();
    const finish: (() => void)[] = [];
    const done = vi
      .spyOn(device.queue, "onSubmittedWorkDone")
      .mockImplementation(() => new Promise<undefined>((resolve) => finish.push(() => resolve(undefined))));
    await recorder.throttle();
    await recorder.throttle();
    let passed = false;
    const third = recorder.throttle().then(() => (passed = true));
    await tick();
    expect(passed).toBe(false);
    finish[0]!();
    await third;
    expect(passed).toBe(true);
    done.mockRestore();
    for (const resolve of finish) resolve();
  });
});

describe("the recorder with bindings limited to 1024 bytes", () => {
  const gpu = useGpu({ maxBindingBytes: 1024 });

  it("binds up to the limit and refuses more, by the tensor's bytes", async () => {
    const call = (count: number) => {
      const buffer = gpu().memory.allocate("activations", "test", 4096);
      const x = { buffer, dtype: "f32", shape: [count] } as const;
      const out = gpu().memory.tensor("activations", "test", "f32", [256]);
      const parameters = { rows: 1, columns: 1, out_columns: 1, column_start: 0 };
      return { bindings: { x, out }, parameters, grid: [1] } as const;
    };
    await gpu().checked("limit", async () => gpu().recorder.dispatch(placeColumns, call(256)));
    expect(() => gpu().recorder.dispatch(placeColumns, call(257))).toThrow(
      expect.objectContaining({ code: "invalid-shape", details: { bytes: 1028, limit: 1024 } }) as Error,
    );
  });
});

/** Lets everything that is ready run. */
const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
