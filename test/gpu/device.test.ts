import { afterEach, describe, expect, it, vi } from "vitest";
import { accumulate, silu } from "../../kernels/index.ts";
import { dawnGpu } from "../../runtime/node/dawn.ts";
import { Gpu } from "../../runtime/gpu/device.ts";
import { download, SCALARS, upload, useGpu } from "../support/gpu.ts";
import { lossyGpu } from "../support/lossy-gpu.ts";

const STORAGE = 0x80 | 0x04 | 0x08;
const COMPUTE = 4; // GPUShaderStage.COMPUTE

describe("opening a device", () => {
  const gpu = useGpu();
  const forced = useGpu({ forceF32: true });

  it("reports what the adapter has and raises the limits to it", () => {
    const { adapter, device } = gpu();
    expect(adapter.f16).toBe(SCALARS.includes("f16"));
    expect(adapter.maxBindingBytes).toBe(device.limits.maxStorageBufferBindingSize);
    expect(adapter.maxBufferBytes).toBe(device.limits.maxBufferSize);
    expect(adapter.maxBindingBytes).toBeGreaterThanOrEqual(128 * 1024 ** 2);
    expect(adapter.timestamps).toBe(device.features.has("timestamp-query"));
  });

  it("chooses f16 where the adapter has it, and takes the caller's choice", () => {
    expect(gpu().scalarType(undefined)).toBe(SCALARS.at(-1));
    expect(gpu().scalarType("f32")).toBe("f32");
  });

  it("hides f16 where f32 is forced: f32 is chosen, and f16 refused", () => {
    expect(forced().adapter.f16).toBe(false);
    expect(forced().scalarType(undefined)).toBe("f32");
    expect(forced().scalarType("f32")).toBe("f32");
    expect(() => forced().scalarType("f16")).toThrow(expect.objectContaining({ code: "unsupported" }) as Error);
  });

  it("refuses where there is no adapter", async () => {
    const none = { requestAdapter: async () => null } as unknown as GPU;
    await expect(Gpu.open(none)).rejects.toMatchObject({ code: "no-webgpu" });
  });

  it("never allows more than the adapter does", async () => {
    const wide = await Gpu.open(await dawnGpu(), { maxBindingBytes: Number.MAX_SAFE_INTEGER });
    expect(wide.adapter.maxBindingBytes).toBe(wide.device.limits.maxStorageBufferBindingSize);
    wide.destroy();
  });
});

describe("a limit on bindings", () => {
  const gpu = useGpu({ maxBindingBytes: 512 });

  /** A bind group that is made without the recorder, as onnxruntime does. */
  function bind(resource: GPUBindingResource): GPUBindGroup {
    const { device } = gpu();
    const layout = device.createBindGroupLayout({
      entries: [{ binding: 0, visibility: COMPUTE, buffer: { type: "storage" } }],
    });
    return device.createBindGroup({ label: "foreign", layout, entries: [{ binding: 0, resource }] });
  }
  const buffer = (size: number) => gpu().device.createBuffer({ size, usage: STORAGE });
  const refusal = (bytes: number) =>
    expect.objectContaining({ code: "invalid-shape", details: { bytes, limit: 512 } }) as Error;

  it("covers bind groups that others make, by the bytes that they bind", async () => {
    await gpu().checked("foreign", async () => {
      bind({ buffer: buffer(512) });
      bind({ buffer: buffer(2048), size: 512 });
      bind({ buffer: buffer(768), offset: 256 });
      bind(buffer(512));
    });
    expect(() => bind({ buffer: buffer(516) })).toThrow(refusal(516));
    expect(() => bind({ buffer: buffer(2048), size: 516 })).toThrow(refusal(516));
    expect(() => bind({ buffer: buffer(772), offset: 256 })).toThrow(refusal(516));
    expect(() => bind(buffer(516))).toThrow(refusal(516));
  });

  it("is reported as the adapter's", () => {
    expect(gpu().adapter.maxBindingBytes).toBe(512);
    expect(gpu().memory.maxBindingBytes).toBe(512);
  });
});

describe("checked", () => {
  const gpu = useGpu();
  afterEach(() => vi.restoreAllMocks());

  /** Whether the device has no error scope left: popping from an empty stack is refused. */
  const expectNoScopes = () => expect(gpu().device.popErrorScope()).rejects.toThrow("No error scopes");
  const invalid = () => gpu().device.createBuffer({ size: 16, usage: 0x01 | 0x80 }); // MAP_READ | STORAGE

  it("gives what the work gives, and submits what it recorded", async () => {
    const submit = vi.spyOn(gpu().device.queue, "submit");
    const x = upload(gpu(), "f32", [1], [2]);
    submit.mockClear();
    const call = { bindings: { x, accumulator: upload(gpu(), "f32", [1], [1]) }, grid: [1] } as const;
    const value = await gpu().checked("work", async () => {
      gpu().recorder.dispatch(accumulate, { ...call, parameters: { count: 1, a: 1, b: 1 } });
      return 42;
    });
    expect(value).toBe(42);
    expect(submit).toHaveBeenCalledOnce();
    expect(await download(gpu(), call.bindings.accumulator)).toEqual(Float32Array.of(3));
    await expectNoScopes();
  });

  it("maps a command that the GPU refuses to gpu-validation, with the stage and the GPU's words", async () => {
    const error = gpu().checked("step 3", async () => invalid());
    await expect(error).rejects.toMatchObject({
      code: "gpu-validation",
      details: { stage: "step 3" },
      message: expect.stringMatching(/^The GPU refused a command in step 3: .*usage/i) as string,
    });
    await expectNoScopes();
  });

  it("sees what is refused when the recorded work is submitted", async () => {
    const x = gpu().memory.tensor("activations", "gone", "f32", [1]);
    const y = upload(gpu(), "f32", [1], [0]);
    const error = gpu().checked("submit", async () => {
      gpu().recorder.dispatch(silu, { bindings: { x, y }, parameters: { count: 1 }, grid: [1] });
      x.buffer.destroy();
    });
    await expect(error).rejects.toMatchObject({ code: "gpu-validation", details: { stage: "submit" } });
  });

  it.each([
    [["out-of-memory"], "out-of-memory"],
    [["out-of-memory", "validation"], "out-of-memory"], // using a buffer that could not be made is invalid as well
    [["internal"], "gpu-validation"],
    [["validation", "internal"], "gpu-validation"],
  ] as const)("maps errors of the kinds %j to %s", async (kinds, code) => {
    const scopes: GPUErrorFilter[] = [];
    vi.spyOn(gpu().device, "pushErrorScope").mockImplementation((filter) => void scopes.push(filter));
    vi.spyOn(gpu().device, "popErrorScope").mockImplementation(async () => {
      const filter = scopes.pop();
      return kinds.some((kind) => kind === filter) ? { message: `the ${filter} one` } : null;
    });
    await expect(gpu().checked("decode", async () => undefined)).rejects.toMatchObject({
      code,
      details: { stage: "decode" },
      message: expect.stringContaining(`the ${kinds[0]} one`) as string,
    });
    expect(scopes).toEqual([]);
  });

  it("throws what the work throws as it is, and leaves no scope", async () => {
    const reason = new DOMException("stopped", "AbortError");
    await expect(gpu().checked("work", () => Promise.reject(reason))).rejects.toBe(reason);
    await expectNoScopes();
    const thrown = gpu().checked("work", () => {
      throw reason;
    });
    await expect(thrown).rejects.toBe(reason);
    await expectNoScopes();
  });

  it("throws the error of the GPU, with the error that followed from it as its cause", async () => {
    const failure = new Error("followed");
    const error = gpu().checked("work", async () => {
      invalid();
      throw failure;
    });
    await expect(error).rejects.toMatchObject({ code: "gpu-validation", cause: failure });
  });

  it("drops what failed work recorded, whose buffers are gone, so that the next run is not refused", async () => {
    const stopped = new Error("stopped");
    const x = upload(gpu(), "f32", [1], [2]);
    const y = upload(gpu(), "f32", [1], [0]);
    const failing = gpu().checked("first", async () => {
      using scope = gpu().memory.scope();
      gpu().recorder.dispatch(silu, {
        bindings: { x, y: scope.tensor("gone", "f32", [1]) },
        parameters: { count: 1 },
        grid: [1],
      });
      throw stopped;
    });
    await expect(failing).rejects.toBe(stopped);
    await gpu().checked("second", async () => gpu().recorder.copy(x, 0, y, 0, 1));
    expect(await download(gpu(), y)).toEqual(Float32Array.of(2));
  });
});

describe("a lost device", () => {
  async function open() {
    const { gpu, lose } = lossyGpu(await dawnGpu());
    return { gpu: await Gpu.open(gpu), lose };
  }
  const lost = {
    code: "device-lost",
    message: "The GPU was lost in decode: driver reset",
    details: { stage: "decode" },
  };

  it("refuses work with device-lost, the stage and the reason, and does not start it", async () => {
    const { gpu, lose } = await open();
    gpu.assertAlive("before");
    lose({ reason: "unknown", message: "driver reset" });
    await Promise.resolve();
    const work = vi.fn<() => Promise<void>>();
    await expect(gpu.checked("decode", work)).rejects.toMatchObject(lost);
    expect(work).not.toHaveBeenCalled();
    expect(() => gpu.assertAlive("decode")).toThrow(expect.objectContaining({ code: "device-lost" }) as Error);
    gpu.destroy();
  });

  it("turns what fails within work because of the loss into device-lost", async () => {
    const { gpu, lose } = await open();
    const failing = gpu.checked("decode", async () => {
      lose({ reason: "unknown", message: "driver reset" });
      throw new DOMException("mapping was aborted", "AbortError");
    });
    await expect(failing).rejects.toMatchObject(lost);
    gpu.destroy();
  });

  it("gives device-lost for work that ended well, because its results may be missing", async () => {
    const { gpu, lose } = await open();
    const ended = gpu.checked("decode", async () => lose({ reason: "unknown", message: "driver reset" }));
    await expect(ended).rejects.toMatchObject(lost);
    gpu.destroy();
  });

  it("has device-lost where its error scopes cannot be read any more", async () => {
    const { gpu, lose } = await open();
    gpu.device.popErrorScope = () => Promise.reject(new DOMException("the device is lost", "OperationError"));
    const failing = gpu.checked("decode", async () => lose({ reason: "unknown", message: "driver reset" }));
    await expect(failing).rejects.toMatchObject(lost);
    gpu.destroy();
  });

  it("is not one that was destroyed on purpose", async () => {
    const { gpu, lose } = await open();
    lose({ reason: "destroyed", message: "device was destroyed" });
    await Promise.resolve();
    expect(gpu.lost).toBeUndefined();
    gpu.assertAlive("after");
    gpu.destroy();
  });
});
