import { describe, expect, it } from "vitest";
import { linearGraph, residualLinearGraph, swigluGraph, convolveGraph } from "../../runtime/backend/ort/graphs.ts";
import { NullSessions } from "../../runtime/backend/ort/null-sessions.ts";
import type { OnnxGraph } from "../../runtime/backend/ort/onnx.ts";
import { Gpu } from "../../runtime/gpu/device.ts";
import type { DType, Tensor } from "../../runtime/gpu/tensor.ts";

/** Operands of `graph` by name: "f16 4x8". */
type Shapes = Readonly<Record<string, string>>;

class Ledger {
  readonly gpu = Gpu.nullDevice(2 ** 31);
  readonly sessions = new NullSessions(this.gpu);
  #keys = 0;

  get bytes(): { readonly current: number; readonly peak: number } {
    const { currentBytes = 0, peakBytes = 0 } = this.gpu.memory.report().byCategory.onnxruntime ?? {};
    return { current: currentBytes, peak: peakBytes };
  }

  async run(graph: OnnxGraph, shapes: Shapes): Promise<void> {
    const operands = Object.fromEntries(
      Object.entries(shapes).map(([name, text]) => {
        const [dtype, sizes] = text.split(" ") as [DType, string];
        return [name, { tensor: { dtype, shape: sizes.split("x").map(Number), buffer: {} } as unknown as Tensor }];
      }),
    );
    await this.sessions.run(`${this.#keys++}`, () => graph, operands);
  }
}

/** Bytes of a run without the small buffers of sessions. */
async function taken(graph: OnnxGraph, shapes: Shapes): Promise<number> {
  const ledger = new Ledger();
  await ledger.run({ nodes: [], inputs: [], outputs: [] }, {});
  const before = ledger.bytes.current;
  await ledger.run(graph, shapes);
  return ledger.bytes.current - before;
}

/** A graph with a value of `bytes` between its nodes. */
const holding = (bytes: number): readonly [OnnxGraph, Shapes] => [
  {
    nodes: [
      { op: "Cast", inputs: ["x"], outputs: ["held"], attributes: { to: 1 } },
      { op: "Add", inputs: ["held", "x"], outputs: ["y0"] },
    ],
    inputs: [],
    outputs: [{ name: "y0", type: "float32", shape: [] }],
  },
  { x: `f16 ${bytes / 4}` },
];

describe("the buffers that onnxruntime keeps", () => {
  const after = async (...runs: readonly number[]): Promise<{ readonly current: number; readonly peak: number }> => {
    const ledger = new Ledger();
    await ledger.run({ nodes: [], inputs: [], outputs: [] }, {});
    const small = ledger.bytes.current;
    for (const bytes of runs) await ledger.run(...holding(bytes));
    return { current: ledger.bytes.current - small, peak: ledger.bytes.peak - small };
  };

  it("are rounded up to its sizes, and serve later runs", async () => {
    expect((await after(64)).current).toBe(64);
    expect((await after(68)).current).toBe(128);
    expect((await after(516)).current).toBe(2048);
    expect((await after(300, 400)).current).toBe(512);
    expect((await after(300, 4096)).current).toBe(512 + 4096);
  });

  it("are freed after the run above its largest size", async () => {
    expect(await after(167_772_160)).toEqual({ current: 167_772_160, peak: 167_772_160 });
    expect(await after(167_772_164)).toEqual({ current: 0, peak: 167_772_176 });
  });

  it("are freed with the sessions", async () => {
    const ledger = new Ledger();
    await ledger.run(...holding(300));
    await ledger.sessions.dispose();
    expect(ledger.bytes.current).toBe(0);
  });
});

describe("the values between a graph's nodes", () => {
  const product = { out: 256, in: 512, format: "f16", bias: false, rank: 0 } as const;
  const x = "f32 32x512";
  const norm = { kind: "layer", eps: 1e-6 } as const;

  it("are normed rows in f32 and in the scalar type, and results of another type", async () => {
    const graph = linearGraph("f16", "f32", norm, [product], ["f32"]);
    expect(await taken(graph, { x, w0_values: "f16 256x512" })).toBe(65_536 + 32_768 + 16_384);
  });

  it("are the stored weight's product and the low-rank rows", async () => {
    const graph = residualLinearGraph("f16", ["f16"], [{ ...product, rank: 8 }], "f16");
    expect(
      await taken(graph, { x0: "f16 32x512", w0_values: "f16 256x512", w0_down: "f16 8x512", w0_up: "f16 256x8" }),
    ).toBe(16_384 + 512);
  });

  it("are both halves of a SwiGLU, the scaled rows, and each term of a sum", async () => {
    const shapes = { x, w0_values: "f16 256x512", w1_values: "f16 256x512" };
    const gated = swigluGraph("f16", "f32", norm, [product, product], 0.125);
    expect(await taken(gated, shapes)).toBe(65_536 + 2 * 32_768 + 2 * 16_384);
    const sum = residualLinearGraph("f16", ["f16", "f16"], [product, product], "f16");
    expect(await taken(sum, { ...shapes, x0: "f16 32x512", x1: "f16 32x512" })).toBe(2 * 16_384);
  });

  it("are a convolution's weight, laid out again", async () => {
    const options = { stride: 1, padLeft: 1, padRight: 1 } as const;
    const graph = convolveGraph("f16", { out: 32, in: 16, size: 3 }, options);
    expect(await taken(graph, { x: "f16 1x8x8x16", w0_values: "f16 32x16x3x3", w0_bias: "f16 32" })).toBe(16_384);
  });
});
