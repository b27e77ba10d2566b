import { describe, expect, it } from "vitest";
import { countNonfinite } from "../../kernels/index.ts";
import { assertFinite } from "../../runtime/gpu/finite.ts";
import { randomValues } from "../support/compare.ts";
import { SCALARS, upload, uploadU32, useGpu } from "../support/gpu.ts";
import { COUNTS, runKernel, twoRowGrid } from "../support/kernels.ts";

/** The largest value of each type, and the smallest that is not zero. */
const EXTREMES = { f32: [3.402_823_466e38, 1.4e-45], f16: [65_504, 6e-8] } as const;

describe.each(SCALARS)("count-nonfinite in %s", (scalar) => {
  const gpu = useGpu();

  async function count(values: ArrayLike<number>, counted = values.length, start = 0): Promise<number> {
    const counter = uploadU32(gpu(), [start]);
    await runKernel(gpu(), countNonfinite, {
      bindings: { x: upload(gpu(), scalar, [values.length], values), counter },
      parameters: { count: counted },
      scalar,
      grid: twoRowGrid(countNonfinite, counted),
    });
    return new Uint32Array(await gpu().recorder.read(counter))[0]!;
  }

  it.each(COUNTS)("finds none among %d finite values, and all where all are bad", async (length) => {
    expect(await count(randomValues(length))).toBe(0);
    expect(await count(new Float32Array(length).fill(NaN))).toBe(length);
  });

  it("counts NaN and both infinities, and no finite extreme", async () => {
    const [largest, smallest] = EXTREMES[scalar];
    expect(await count([largest, -largest, smallest, -smallest, 0, -0, 1, -1])).toBe(0);
    expect(await count([NaN, Infinity, -Infinity, largest])).toBe(3);
  });

  it("looks at the first and the last value, and not beyond the count", async () => {
    const values = new Float32Array(130);
    values[0] = NaN;
    values[128] = Infinity;
    values[129] = NaN;
    expect(await count(values, 129)).toBe(2);
    expect(await count(values, 128)).toBe(1);
  });

  it("adds to what is counted already", async () => {
    expect(await count([NaN, 1, NaN], 3, 40)).toBe(42);
  });

  it("lets assertFinite tell how many values of several tensors are bad, and after which stage", async () => {
    const good = upload(gpu(), scalar, [65], randomValues(65));
    const bad = upload(gpu(), scalar, [3], [1, NaN, -Infinity]);
    await gpu().checked("finite", () => assertFinite(gpu(), "step 1", [good, good]));
    await expect(gpu().checked("finite", () => assertFinite(gpu(), "step 1", [good, bad, bad]))).rejects.toMatchObject({
      code: "not-finite",
      details: { stage: "step 1", values: 4 },
    });
  });
});
