import { describe, expect, it } from "vitest";
import { everyOperator } from "../../runtime/backend/operators.ts";
import { defaultTile } from "../../runtime/backend/wgsl/tiles.ts";
import { WgslBackend } from "../../runtime/backend/wgsl/wgsl-backend.ts";
import {
  type DenseBackendOptions,
  openDenseBackend,
  type TunedBackend,
} from "../../runtime/autotune/open-dense-backend.ts";
import { productOperands } from "../../runtime/autotune/operands.ts";
import { OperatorBenchmark } from "../../runtime/autotune/operator-benchmark.ts";
import { tunedBefore, storageOf, SMALL } from "../support/tuning.ts";
import { useGpu } from "../support/gpu.ts";

describe("the dense backend of an engine", () => {
  const gpu = useGpu();
  const open = (options: Partial<DenseBackendOptions> = {}): Promise<TunedBackend> =>
    openDenseBackend({ ...SMALL, gpu: gpu(), ...options });

  it("is measured at the first start, and remembered for the next, which times nothing", async () => {
    const entries = new Map<string, string>();
    const first = await open({ tuningCache: storageOf(entries) });
    await first.backend.dispose();
    expect(Object.keys(first.report)).toEqual(["plain", "q8", "convolution"]);
    for (const { remembered, implementation, candidates } of Object.values(first.report)) {
      expect(remembered).toBe(false);
      const fastest = candidates.toSorted((a, b) => a.milliseconds! - b.milliseconds!)[0]!;
      expect(candidates.map(({ name }) => name)).toContain("ort");
      expect(implementation).toBe(fastest.name);
    }
    expect(entries.size).toBe(3);
    const kept = new Map(entries);
    const second = await open({ tuningCache: storageOf(entries) });
    await second.backend.dispose();
    expect(entries).toEqual(kept);
    for (const [operator, { remembered, ...tuned }] of Object.entries(second.report))
      expect({ ...tuned, remembered }).toEqual({
        ...first.report[operator as keyof typeof first.report],
        remembered: true,
      });
    expect(second.backends).toEqual(first.backends);
  });

  it("leaves nothing on the GPU after it is disposed", async () => {
    const before = gpu().memory.report().currentBytes;
    const { backend } = await open();
    await backend.dispose();
    expect(gpu().memory.report().currentBytes).toBe(before);
  });

  it("is onnxruntime where it was asked for, and nothing is timed", async () => {
    const entries = new Map<string, string>();
    const { report, backends, backend } = await open({ backend: "ort", tuningCache: storageOf(entries) });
    await backend.dispose();
    expect(backends).toEqual(everyOperator("ort"));
    expect(report.plain).toEqual({ implementation: "ort", candidates: [], remembered: false });
    expect(entries.size).toBe(0);
  });

  it("has no onnxruntime among the candidates of `wgsl`", async () => {
    const { report, backends } = await open({ backend: "wgsl" });
    expect(backends).toEqual(everyOperator("wgsl"));
    for (const { candidates } of Object.values(report)) expect(candidates.map(({ name }) => name)).not.toContain("ort");
  });

  it("sends each operator to its own where they differ, with the layout of the one that convolves", async () => {
    const own = defaultTile(gpu().adapter);
    const tuningCache = tunedBefore({ plain: own, q8: "ort", convolution: own });
    const { backend, backends } = await open({ tuningCache });
    expect(backends).toEqual({ plain: "wgsl", q8: "ort", q4: "wgsl", convolution: "wgsl" });
    expect(backend.kernelLayout).toBe("ohwi");
    await backend.dispose();
    const other = await open({ tuningCache: tunedBefore({ plain: own, q8: own, convolution: "ort" }) });
    expect(other.backend.kernelLayout).toBe("oihw");
    await other.backend.dispose();
  });

  it("ends with the reason of its signal", async () => {
    const reason = new Error("enough");
    await expect(open({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

describe("a benchmark of an operator", () => {
  const gpu = useGpu();

  it("refuses an implementation that writes nothing, and times a correct one", async () => {
    const backend = new WgslBackend(gpu(), "f32");
    const idle = Object.assign(Object.create(backend) as WgslBackend, { linear: async () => {} });
    const benchmark = await OperatorBenchmark.create(
      gpu(),
      (size) => productOperands(gpu(), "f32", "q4", { rows: 8 * Math.min(size, 8), columns: 64, outs: 32 }),
      "direct",
      async (name) => (name === "ort" ? idle : backend),
    );
    await expect(benchmark.check("ort")).rejects.toThrow(/^computed 0 instead of /);
    await benchmark.check("direct");
    expect(await benchmark.time("direct")).toBeGreaterThanOrEqual(0);
    benchmark.dispose();
  });
});
