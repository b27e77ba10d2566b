import { describe, expect, it, vi } from "vitest";
import { everyOperator } from "../../runtime/backend/operators.ts";
import { openDenseBackend } from "../../runtime/autotune/open-dense-backend.ts";
import { tunedBefore, SMALL } from "../support/tuning.ts";
import { useGpu } from "../support/gpu.ts";

vi.mock("onnxruntime-web/webgpu", () => {
  throw new Error("there is no such package");
});

describe("the dense backend where onnxruntime cannot be loaded", () => {
  const gpu = useGpu();

  it("is our kernels, and says why", async () => {
    const { report, backends } = await openDenseBackend({ ...SMALL, gpu: gpu() });
    expect(backends).toEqual(everyOperator("wgsl"));
    for (const { candidates } of Object.values(report))
      expect(candidates.at(-1)).toEqual({ name: "ort", refused: "onnxruntime-web could not be loaded." });
  });

  it("is measured again if the cache names onnxruntime", async () => {
    const { report, backends } = await openDenseBackend({
      ...SMALL,
      gpu: gpu(),
      tuningCache: tunedBefore({ plain: "ort" }),
    });
    expect(report.plain!.remembered).toBe(false);
    expect(backends).toEqual(everyOperator("wgsl"));
  });

  it("is an error where onnxruntime was asked for", async () => {
    await expect(openDenseBackend({ ...SMALL, gpu: gpu(), backend: "ort" })).rejects.toMatchObject({
      code: "unsupported",
    });
  });
});
