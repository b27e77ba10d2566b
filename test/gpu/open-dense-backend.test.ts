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
import { chosenBefore, memoryOf, SMALL } from "../support/choices.ts";
import { useGpu } from "../support/gpu.ts";

describe("the dense backend of an engine", () => {
  const gpu = useGpu();
  const open = (options: Partial<DenseBackendOptions> = {}): Promise<TunedBackend> =>
    openDenseBackend({ ...SMALL, gpu: gpu(), ...options });

  it("is chosen by times the first time, and remembered for the next, which times nothing", async () => {
    const entries = new Map<string, string>();
    const first = await open({ tuningCache: memoryOf(entries) });
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
    const second = await open({ tuningCache: memoryOf(entries) });
    await second.backend.dispose();
    expect(entries).toEqual(kept);
    for (const [operator, { remembered, ...chosen }] of Object.entries(second.report))
      expect({ ...chosen, remembered }).toEqual({
        ...first.report[operator as keyof typeof first.report],
        remembered: true,
      });
    expect(second.backends).toEqual(first.backends);
  });

  it("leaves nothing on the GPU but what the chosen one keeps", async () => {
    const before = gpu().memory.report().currentBytes;
    const { backend } = await open();
    await backend.dispose();
    expect(gpu().memory.report().currentBytes).toBe(before);
  });

  it("is onnxruntime where it was asked for, and nothing is timed", async () => {
    const entries = new Map<string, string>();
    const { report, backends, backend } = await open({ backend: "ort", tuningCache: memoryOf(entries) });
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

  it("sends each operator to its own where they differ, with the kernels of who convolves", async () => {
    const own = defaultTile(gpu().adapter);
    const tuningCache = chosenBefore({ plain: own, q8: "ort", convolution: own });
    const { backend, backends } = await open({ tuningCache });
    expect(backends).toEqual({ plain: "wgsl", q8: "ort", q4: "wgsl", convolution: "wgsl" });
    expect(backend.kernelLayout).toBe("ohwi");
    await backend.dispose();
    const other = await open({ tuningCache: chosenBefore({ plain: own, q8: own, convolution: "ort" }) });
    expect(other.backend.kernelLayout).toBe("oihw");
    await other.backend.dispose();
  });

  it("ends with the reason of its signal", async () => {
    const reason = new Error("enough");
    await expect(open({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

describe("a trial", () => {
  const gpu = useGpu();

  it("refuses what writes nothing, and what is right is timed", async () => {
    const backend = new WgslBackend(gpu(), "f32");
    const idle = Object.assign(Object.create(backend) as WgslBackend, { project: async () => {} });
    const trial = await OperatorBenchmark.create(
      gpu(),
      (size) => productOperands(gpu(), "f32", "q4", { rows: 8 * Math.min(size, 8), columns: 64, outs: 32 }),
      "direct",
      async (name) => (name === "ort" ? idle : backend),
    );
    await expect(trial.check("ort")).rejects.toThrow(/^gives 0 where .* is right$/);
    await trial.check("direct");
    expect(await trial.time("direct")).toBeGreaterThanOrEqual(0);
    trial.dispose();
  });
});
