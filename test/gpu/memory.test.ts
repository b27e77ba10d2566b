import { describe, expect, it } from "vitest";
import type { MemoryCategory } from "../../runtime/gpu/memory.ts";
import { useGpu } from "../support/gpu.ts";

const STORAGE = 0x80 | 0x04 | 0x08;

describe("the memory ledger", () => {
  const gpu = useGpu();
  const memory = () => gpu().memory;
  const of = (part: MemoryCategory) => memory().report().byCategory[part] ?? { currentBytes: 0, peakBytes: 0 };

  it("counts bytes by part while they are allocated, and in total", () => {
    const before = memory().report().currentBytes;
    const a = memory().allocate("transformer", "a", 1024);
    const b = memory().allocate("vae", "b", 256);
    const c = memory().allocate("vae", "c", 512);
    expect(of("transformer").currentBytes).toBe(1024);
    expect(of("vae").currentBytes).toBe(768);
    expect(memory().report().currentBytes).toBe(before + 1792);
    for (const buffer of [a, b, c]) memory().free(buffer);
    expect(of("transformer").currentBytes).toBe(0);
    expect(of("vae").currentBytes).toBe(0);
    expect(memory().report().currentBytes).toBe(before);
  });

  it("remembers the most that was allocated at once, by part and in total, until it is reset", () => {
    memory().resetPeak();
    const before = memory().report().currentBytes;
    const a = memory().allocate("vae", "a", 1000);
    memory().free(a);
    const b = memory().allocate("vae", "b", 600);
    const c = memory().allocate("textEncoder", "c", 500);
    expect(of("vae")).toEqual({ currentBytes: 600, peakBytes: 1000 });
    expect(memory().report().peakBytes).toBe(before + 1100); // not 1500: a and c were never there at once
    memory().free(c);
    memory().resetPeak();
    expect(memory().report().peakBytes).toBe(before + 600);
    expect(of("vae")).toEqual({ currentBytes: 600, peakBytes: 600 });
    expect(memory().report().byCategory.textEncoder).toBeUndefined(); // it has nothing since the reset
    memory().free(b);
  });

  it("counts a buffer that is freed twice once", () => {
    const before = memory().report().currentBytes;
    const buffer = memory().allocate("vae", "twice", 64);
    memory().free(buffer);
    memory().free(buffer);
    expect(memory().report().currentBytes).toBe(before);
    expect(of("vae").currentBytes).toBe(0);
  });

  it("counts what others create on the device as onnxruntime's, until they destroy it, once or twice", () => {
    const before = of("onnxruntime").currentBytes;
    const buffer = gpu().device.createBuffer({ size: 4096, usage: STORAGE });
    expect(of("onnxruntime").currentBytes).toBe(before + 4096);
    buffer.destroy();
    buffer.destroy();
    expect(of("onnxruntime").currentBytes).toBe(before);
  });

  it("does not count its own buffers as onnxruntime's", () => {
    const before = of("onnxruntime").currentBytes;
    const buffer = memory().allocate("vae", "own", 64);
    expect(of("onnxruntime").currentBytes).toBe(before);
    memory().free(buffer);
  });

  it("refuses a buffer above the adapter's largest, and counts nothing for it", () => {
    const { maxBufferSize } = gpu().device.limits;
    const before = memory().report().currentBytes;
    expect(() => memory().allocate("vae", "too large", maxBufferSize + 1)).toThrow(
      expect.objectContaining({
        code: "out-of-memory",
        details: { bytes: maxBufferSize + 1, limit: maxBufferSize },
      }) as Error,
    );
    expect(memory().report().currentBytes).toBe(before);
  });

  it("pads a tensor to whole words, and gives an empty one a word", () => {
    const odd = memory().tensor("vae", "odd", "f16", [3, 1]);
    const bytes = memory().tensor("vae", "bytes", "u8", [5]);
    const empty = memory().tensor("vae", "empty", "f32", [0, 7]);
    expect([odd, bytes, empty].map(({ buffer }) => buffer.size)).toEqual([8, 8, 4]);
    memory().freeTensors(odd, undefined, bytes, empty);
    expect(of("vae").currentBytes).toBe(0);
  });
});

describe("a memory scope", () => {
  const gpu = useGpu();

  it("reuses a released buffer for the same size, whatever the shape and type", () => {
    using scope = gpu().memory.scope();
    const a = scope.tensor("a", "f32", [4, 8]);
    scope.release(a);
    const before = gpu().memory.report().currentBytes;
    expect(scope.tensor("b", "f16", [64]).buffer).toBe(a.buffer);
    expect(gpu().memory.report().currentBytes).toBe(before);
  });

  it("does not give out a buffer twice, nor one of another size, nor one that is still in use", () => {
    using scope = gpu().memory.scope();
    const a = scope.tensor("a", "f32", [8]);
    scope.release(a, a);
    scope.release(a);
    const buffers = [
      scope.tensor("b", "f32", [8]).buffer,
      scope.tensor("c", "f32", [8]).buffer,
      scope.tensor("d", "f32", [7]).buffer,
    ];
    expect(buffers[0]).toBe(a.buffer);
    expect(new Set(buffers).size).toBe(3);
  });

  it("keeps a buffer under its own size when a tensor of another shape on it is released", () => {
    using scope = gpu().memory.scope();
    const a = scope.tensor("a", "f32", [8]);
    scope.release({ ...a, shape: [2] });
    expect(scope.tensor("b", "f32", [2]).buffer).not.toBe(a.buffer);
    expect(scope.tensor("c", "f32", [8]).buffer).toBe(a.buffer);
  });

  it("ignores what is not its own", () => {
    using scope = gpu().memory.scope();
    using other = gpu().memory.scope();
    const foreign = other.tensor("foreign", "f32", [8]);
    scope.release(foreign, undefined);
    expect(scope.tensor("mine", "f32", [8]).buffer).not.toBe(foreign.buffer);
  });

  it("frees all that it ever took when it is disposed of, twice as well, and what is idle when trimmed", () => {
    const before = gpu().memory.report().currentBytes;
    const scope = gpu().memory.scope("referenceCache");
    const a = scope.tensor("a", "f32", [16]);
    scope.tensor("b", "f32", [8]);
    scope.matrix("c", "f16", 5, 4, 2);
    expect(gpu().memory.report().byCategory.referenceCache?.currentBytes).toBe(64 + 32 + 16 + 16 + 8);
    scope.release(a);
    scope.trim();
    expect(gpu().memory.report().byCategory.referenceCache?.currentBytes).toBe(32 + 16 + 16 + 8);
    scope.dispose();
    scope.dispose();
    expect(gpu().memory.report().currentBytes).toBe(before);
  });

  it("frees its buffers when the block that uses it throws", () => {
    const before = gpu().memory.report().currentBytes;
    expect(() => {
      using scope = gpu().memory.scope();
      scope.tensor("a", "f32", [16]);
      throw new Error("within");
    }).toThrow("within");
    expect(gpu().memory.report().currentBytes).toBe(before);
  });

  it("cuts a matrix into chunks of whole rows and takes them back", () => {
    using scope = gpu().memory.scope();
    const rows = scope.matrix("rows", "f32", 7, 3, 3);
    expect(rows.chunks.map(({ shape }) => shape)).toEqual([
      [3, 3],
      [3, 3],
      [1, 3],
    ]);
    scope.releaseMatrix(rows, undefined);
    const again = scope.matrix("rows", "f32", 7, 3, 3);
    expect(new Set(again.chunks.map(({ buffer }) => buffer))).toEqual(new Set(rows.chunks.map(({ buffer }) => buffer)));
  });
});

describe("memory with bindings limited to 1024 bytes", () => {
  const gpu = useGpu({ maxBindingBytes: 1024 });

  it("gives tensors up to the limit and refuses more, in a scope too", () => {
    const refusal = expect.objectContaining({ code: "invalid-shape", details: { bytes: 1028, limit: 1024 } }) as Error;
    using scope = gpu().memory.scope();
    expect(scope.tensor("largest", "f32", [256]).buffer.size).toBe(1024);
    expect(() => scope.tensor("too large", "f32", [257])).toThrow(refusal);
    expect(() => gpu().memory.tensor("vae", "too large", "f16", [514])).toThrow(refusal);
    expect(() => gpu().memory.assertBindable("exact", 1024)).not.toThrow();
  });

  it("still allocates larger buffers that are not tensors", () => {
    const buffer = gpu().memory.allocate("transfer", "large", 2048);
    expect(buffer.size).toBe(2048);
    gpu().memory.free(buffer);
  });
});

describe("destroying a device", () => {
  const gpu = useGpu();

  it("leaves nothing in the ledger, foreign buffers included", () => {
    const { memory, device } = gpu();
    memory.allocate("vae", "left", 64);
    memory.scope().tensor("left", "f32", [4]);
    device.createBuffer({ size: 64, usage: STORAGE });
    expect(memory.report().currentBytes).toBeGreaterThan(0);
    gpu().destroy();
    const { currentBytes, byCategory } = memory.report();
    expect(currentBytes).toBe(0);
    expect(Object.values(byCategory).every((part) => part.currentBytes === 0)).toBe(true);
  });
});
