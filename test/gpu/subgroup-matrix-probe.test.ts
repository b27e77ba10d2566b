import { create, globals } from "webgpu";
import { beforeAll, describe, expect, it } from "vitest";
import { SUBGROUP_MATRIX, subgroupMatrixCode } from "../../bench/roofline/subgroup-matrix.ts";

/** Dawn's device without a GPU has every feature, and runs nothing. */
let instance: GPU;
let device: GPUDevice;
beforeAll(async () => {
  Object.assign(globalThis, globals);
  instance = create(["backend=null", "enable-dawn-features=allow_unsafe_apis"]);
  const adapter = await instance.requestAdapter();
  device = await adapter!.requestDevice({ requiredFeatures: [SUBGROUP_MATRIX, "subgroups", "shader-f16"] });
});

describe("the probe of subgroup matrices", () => {
  for (const [componentType, resultComponentType] of [
    ["f16", "f32"],
    ["f16", "f16"],
    ["f32", "f32"],
  ] as const)
    for (const size of [8, 16])
      it(`compiles for ${size} × ${size} × 16 of ${componentType} into ${resultComponentType}`, async () => {
        const code = subgroupMatrixCode({ componentType, resultComponentType, M: size, N: size, K: 16 });
        device.pushErrorScope("validation");
        const { messages } = await device.createShaderModule({ code }).getCompilationInfo();
        expect((await device.popErrorScope())?.message).toBeUndefined();
        expect(messages.map(({ message }) => message)).toEqual([]);
        expect(code).toContain(`const N = ${size}u;`);
      });
});
