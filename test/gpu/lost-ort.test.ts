import { describe, expect, it } from "vitest";
import { everyOperator } from "../../runtime/backend/operators.ts";
import { openDenseBackend } from "../../runtime/autotune/open-dense-backend.ts";
import type { TuningStorage } from "../../runtime/autotune/tuning-cache.ts";
import { tunedBefore, SMALL } from "../support/tuning.ts";
import { useGpu } from "../support/gpu.ts";

// onnxruntime is one per process: that its wasm is nowhere stands in a file of its own
const NOWHERE = "file:///nowhere/ort-wasm-simd-threaded.asyncify.wasm";

describe("onnxruntime, when its wasm cannot be had", () => {
  const gpu = useGpu();

  it("is left out although it was the fastest, with the reason, and stays what is remembered", async () => {
    const written: string[] = [];
    const before = tunedBefore({ plain: "ort", q8: "ort", convolution: "ort" });
    const tuningCache: TuningStorage = { ...before, set: async (key) => void written.push(key) };
    const { report, backends, backend } = await openDenseBackend({
      ...SMALL,
      gpu: gpu(),
      tuningCache,
      ortWasmUrl: NOWHERE,
    });
    await backend.dispose();
    expect(backends).toEqual(everyOperator("wgsl"));
    expect(Object.keys(report)).toEqual(["plain", "q8", "convolution"]);
    for (const { implementation, candidates, remembered } of Object.values(report)) {
      expect(remembered).toBe(false);
      expect(candidates.find(({ name }) => name === "ort")?.refused).toMatch(
        /^onnxruntime-web could not create a session: ./,
      );
      expect(candidates.find(({ name }) => name === implementation)?.milliseconds).toBeGreaterThan(0);
    }
    expect(written).toEqual([]);
  });

  it("fails where it alone was asked for, before there are weights", async () => {
    const opening = openDenseBackend({ ...SMALL, backend: "ort", gpu: gpu(), ortWasmUrl: NOWHERE });
    await expect(opening).rejects.toMatchObject({ code: "unsupported" });
  });
});
