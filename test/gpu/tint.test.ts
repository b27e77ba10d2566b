import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { kernelSource } from "../../kernels/kernel.ts";
import { dawnGpu } from "../../runtime/node/dawn.ts";
import { SCALARS } from "../support/gpu.ts";
import { KERNELS_BY_NAME, kernelVariants } from "../support/kernel-variants.ts";

/** A device with f16 where it is there, and with the limits that every adapter has. */
describe.each(SCALARS)("Tint on a device of baseline limits, in %s", (scalar) => {
  let device: GPUDevice | undefined;
  beforeAll(async () => {
    const adapter = await (await dawnGpu()).requestAdapter();
    const requiredFeatures: GPUFeatureName[] = scalar === "f16" ? ["shader-f16"] : [];
    device = await adapter?.requestDevice({ requiredFeatures });
  });
  afterAll(() => device?.destroy());

  it("has the limits that the kernels' defaults are made for", () => {
    expect(device?.limits).toMatchObject({
      maxComputeInvocationsPerWorkgroup: 256,
      maxComputeWorkgroupStorageSize: 16_384,
      maxStorageBuffersPerShaderStage: 8,
    });
  });

  it.each(KERNELS_BY_NAME)("compiles %s with all overrides that the engine uses", async (_name, kernel) => {
    const module = device!.createShaderModule({
      label: kernel.name,
      code: kernelSource(kernel, { scalar, residual: scalar }),
    });
    const { messages } = await module.getCompilationInfo();
    expect(messages.map(({ type, lineNum, message }) => `${type} in line ${lineNum}: ${message}`)).toEqual([]);
    const pipelines = kernelVariants(kernel).map((constants) =>
      device!.createComputePipelineAsync({ layout: "auto", compute: { module, entryPoint: "main", constants } }),
    );
    expect(await Promise.all(pipelines)).toHaveLength(pipelines.length);
  });
});
