import { beforeAll, describe, expect, it } from "vitest";
import { KERNELS } from "../../kernels/index.ts";
import { type Kernel, kernelSource } from "../../kernels/kernel.ts";
import type { ScalarType } from "../../runtime/gpu/tensor.ts";
import { checks, outputOf, toRun } from "../naga/checks.ts";
import { askNaga } from "../naga/client.ts";
import type { NagaReply } from "../naga/protocol.ts";
import { expectClose } from "../support/compare.ts";
import { SCALARS } from "../support/gpu.ts";
import { KERNELS_BY_NAME, kernelVariants } from "../support/kernel-variants.ts";

const CHECKS = SCALARS.flatMap(checks).map((check) => [`${check.kernel.name} in ${check.scalar}`, check] as const);

const moduleId = (kernel: Kernel, scalar: ScalarType): string => `${kernel.name} ${scalar}`;

describe("naga", () => {
  let reply: NagaReply | undefined;
  beforeAll(async () => {
    const modules = SCALARS.flatMap((scalar) =>
      KERNELS.map((kernel) => ({
        id: moduleId(kernel, scalar),
        code: kernelSource(kernel, { scalar, residual: scalar }),
        f16: scalar === "f16",
        variants: kernelVariants(kernel),
      })),
    );
    const broken = { id: "broken", code: "fn main() { undeclared(); }", f16: false, variants: [{}] };
    reply = await askNaga({ modules: [...modules, broken], runs: CHECKS.map(([id, check]) => toRun(id, check)) });
  });

  it("is what compiles here: it says of a broken shader what is wrong, and makes no pipeline of it", () => {
    const errors = reply!.modules["broken"]!;
    expect(errors.some((error) => error.startsWith("error: ") && error.includes("undeclared"))).toBe(true);
    expect(errors.some((error) => error.startsWith("with {}: "))).toBe(true);
  });

  it("is not skipped where Deno is missing", async () => {
    await expect(askNaga({ modules: [], runs: [] }, "/nowhere/deno")).rejects.toThrow("comes with npm install");
  });

  describe.each(SCALARS)("in %s", (scalar) => {
    it.each(KERNELS_BY_NAME)("compiles %s with all overrides that the engine uses", (_name, kernel) => {
      expect(reply!.modules[moduleId(kernel, scalar)]).toEqual([]);
    });
  });

  it.each(CHECKS)("computes %s as the reference does", (id, check) => {
    const result = reply!.runs[id]!;
    expect(result).not.toHaveProperty("error");
    if ("storage" in result) expectClose(outputOf(check, result.storage), check.expected, check.tolerance);
  });
});
