import { describe, expect, it, vi } from "vitest";
import { accumulate, KERNELS, silu } from "../../kernels/index.ts";
import type { PipelineVariant } from "../../runtime/gpu/pipelines.ts";
import { useGpu } from "../support/gpu.ts";

const types = { scalar: "f32", residual: "f32" } as const;

describe("a warm-up", () => {
  const gpu = useGpu();

  it("compiles before the first use, and again nothing", async () => {
    const variant: PipelineVariant = { kernel: silu, types, overrides: {} };
    const compiled = await gpu().pipelines.prepare([variant]);
    expect(compiled.map(({ kernel }) => kernel)).toEqual([silu]);
    expect(gpu().pipelines.get(silu, types, {})).toBe(compiled[0]!.pipeline);
    expect(await gpu().pipelines.prepare([variant])).toEqual([]);
    expect(gpu().pipelines.variants).toEqual([]);
  });

  it("ends before the next kernel when it is aborted", async () => {
    const submit = vi.spyOn(gpu().device.queue, "submit");
    await gpu().warmUp([{ kernel: accumulate, types, overrides: {} }], AbortSignal.abort());
    expect(submit).not.toHaveBeenCalled();
    submit.mockRestore();
  });

  it("runs every kernel on nothing, without an error, and keeps no memory", async () => {
    const before = gpu().memory.report().currentBytes;
    const variants = KERNELS.map((kernel) => ({ kernel, types, overrides: {} }));
    await gpu().checked("warm-up", () => gpu().warmUp(variants));
    expect(gpu().memory.report().currentBytes).toBe(before);
  });

  it("is silent about what does not compile: its first use is not", async () => {
    const kernel = { ...silu, name: "broken", source: "fn main(" };
    await gpu().checked("warm-up", () => gpu().warmUp([{ kernel, types, overrides: {} }]));
    const use = gpu().checked("use", async () => void gpu().pipelines.get(kernel, types, {}));
    await expect(use).rejects.toMatchObject({ code: "gpu-validation" });
  });
});

describe("the null device", () => {
  const gpu = useGpu();

  it("records the requested pipelines, allocates nothing, and reads zeros", async () => {
    const before = gpu().memory.report();
    const standIn = gpu().onNullDevice();
    using scope = standIn.memory.scope();
    const x = scope.tensor("x", "f32", [8]);
    const y = scope.tensor("y", "f32", [8]);
    standIn.recorder.dispatch(silu, { bindings: { x, y }, parameters: { count: 8 }, grid: [1] });
    expect([...(await standIn.recorder.readF32(y))]).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    expect(standIn.pipelines.variants).toEqual([{ kernel: silu, types, overrides: {} }]);
    expect(gpu().memory.report()).toEqual(before);
    expect(gpu().pipelines.variants).toEqual([]);
  });
});
