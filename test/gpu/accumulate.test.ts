import { describe, expect, it } from "vitest";
import { accumulate } from "../../kernels/index.ts";
import { elementGrid } from "../../runtime/gpu/workgroups.ts";
import { accumulate as reference } from "../reference/elementwise.ts";
import { expectClose, randomValues } from "../support/compare.ts";
import { download, rounded, SCALARS, upload, useGpu } from "../support/gpu.ts";
import { COUNTS, repeated, runKernel, twoRowGrid, UNTOUCHED } from "../support/kernels.ts";

const TOLERANCE = { f32: { absolute: 1e-6 }, f16: { absolute: 1e-6, relative: 2 ** -11 } } as const;

describe.each(SCALARS)("accumulate in %s", (scalar) => {
  const gpu = useGpu();

  it.each(COUNTS)("adds multiples of %d values and leaves what is beyond", async (count) => {
    const spare = repeated(UNTOUCHED, 5);
    const before = rounded(scalar, [...randomValues(count), ...spare]);
    const values = rounded(scalar, randomValues(count + 5, 2));
    const accumulator = upload(gpu(), scalar, [count + 5], before);
    const x = upload(gpu(), scalar, [count + 5], values);
    const parameters = { count, a: 1.25, b: -0.75 };
    await runKernel(gpu(), accumulate, {
      bindings: { x, accumulator },
      parameters,
      scalar,
      grid: twoRowGrid(accumulate, count),
    });
    const actual = await download(gpu(), accumulator);
    expectClose(
      actual.subarray(0, count),
      reference(before.subarray(0, count), values, parameters.a, parameters.b),
      TOLERANCE[scalar],
    );
    expect([...actual.subarray(count)]).toEqual(spare);
  });

  it.each([
    [1, 1],
    [0, 1],
    [1, 0],
    [-1, 1],
  ])("is exact for %d times the accumulator plus %d times x", async (a, b) => {
    const before = [-1, 1, 0.5, 3];
    const values = [1, -1, 0.25, -2];
    const accumulator = upload(gpu(), scalar, [4], before);
    const x = upload(gpu(), scalar, [4], values);
    await runKernel(gpu(), accumulate, {
      bindings: { x, accumulator },
      parameters: { count: 4, a, b },
      scalar,
      grid: [1],
    });
    expect(await download(gpu(), accumulator)).toEqual(Float32Array.from(reference(before, values, a, b)));
  });
});

describe("accumulate over more workgroups than a row of the grid holds", () => {
  const gpu = useGpu();

  it("reaches every value", async () => {
    const count = 65_535 * 64 + 1; // one workgroup more than a row holds
    const grid = elementGrid(accumulate, count);
    expect(grid[1]).toBe(2);
    const values = Float32Array.from({ length: count }, (_, i) => (i % 509) / 512);
    const accumulator = gpu().memory.tensor("activations", "test output", "f32", [count]);
    gpu().recorder.clear(accumulator);
    const x = upload(gpu(), "f32", [count], values);
    await runKernel(gpu(), accumulate, { bindings: { x, accumulator }, parameters: { count, a: 1, b: 1 }, grid });
    const actual = await download(gpu(), accumulator);
    expect(actual.findIndex((value, i) => value !== values[i])).toBe(-1);
    gpu().memory.freeTensors(accumulator, x);
  });
});
