import { describe, expect, it } from "vitest";
import { CATALOG, FILE_BYTES, type FullSize, gpuNeeds } from "../../../demo/models/catalog.ts";
import { everyOperator } from "../../../runtime/backend/operators.ts";
import { planMemory } from "../../../runtime/memory-plan/memory-planner.ts";
import { ModelRegistry } from "../../../runtime/task/runner/model-registry.ts";
import { KLEIN_4B, KLEIN_9B } from "../../../bench/klein-configs.ts";

const CONFIGS = { "4B": KLEIN_4B, "9B": KLEIN_9B } as const satisfies Record<FullSize, object>;
/** Figures are given with one decimal of a GiB. */
const TOLERANCE_BYTES = 0.1 * 2 ** 30;

describe("the catalogue", () => {
  for (const size of ["4B", "9B"] as const)
    for (const scalar of ["f16", "f32"] as const)
      for (const quantization of ["none", "q8", "q4"] as const)
        it(`gives the bytes that the plan computes for ${size} in ${scalar}, ${quantization}`, async () => {
          const options = {
            scalar,
            quantization,
            backends: everyOperator("ort" as const),
            maxBindingBytes: 2 ** 31 - 4,
          };
          const { peakBytes, leastBytes } = gpuNeeds(size, { f16: scalar === "f16" })[quantization];
          const expectNear = (given: number, planned: number): void =>
            expect(Math.abs(given - planned)).toBeLessThan(TOLERANCE_BYTES);
          expectNear(peakBytes, (await planMemory(CONFIGS[size], options)).peakBytes);
          expectNear(leastBytes, (await planMemory(CONFIGS[size], { ...options, budgetBytes: 1 })).peakBytes);
        });

  it("has the models that tasks can name, with their licences and places", () => {
    const registry = new ModelRegistry();
    const known = registry.ids.map((id) => registry.get(id)!);
    expect(CATALOG).toHaveLength(known.length);
    for (const { name, size, license, repository } of CATALOG) {
      const manifest = known.find(({ source }) => source === repository);
      expect(manifest).toMatchObject({ name: `FLUX.2 [klein] ${name.replace("klein ", "")}`, license });
      expect(FILE_BYTES[size]).toBeGreaterThan(manifest!.requirements.weightBytes.none);
    }
  });

  it("takes f16 for granted where no adapter is known", () =>
    expect(gpuNeeds("4B", undefined)).toEqual(gpuNeeds("4B", { f16: true })));
});
