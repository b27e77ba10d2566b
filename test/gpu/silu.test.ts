import { describe, expect, it } from "vitest";
import { silu } from "../../kernels/index.ts";
import { silu as reference } from "../reference/dense.ts";
import { expectClose, randomValues } from "../support/compare.ts";
import { download, rounded, SCALARS, upload, useGpu } from "../support/gpu.ts";
import {
  COUNTS,
  downloadWithSpare,
  outputWithSpare,
  repeated,
  runKernel,
  twoRowGrid,
  UNTOUCHED,
} from "../support/kernels.ts";

const TOLERANCE = { f32: { absolute: 1e-6, relative: 1e-5 }, f16: { absolute: 1e-6, relative: 1e-3 } } as const;

describe.each(SCALARS)("silu in %s", (scalar) => {
  const gpu = useGpu();

  it.each(COUNTS)("activates %d values and leaves what is beyond", async (count) => {
    const values = rounded(
      scalar,
      randomValues(count + 7).map((value) => 8 * value),
    );
    const x = upload(gpu(), scalar, [count + 7], values);
    const y = outputWithSpare(gpu(), scalar, count);
    await runKernel(gpu(), silu, { bindings: { x, y }, parameters: { count }, scalar, grid: twoRowGrid(silu, count) });
    const actual = await downloadWithSpare(gpu(), y, count);
    expectClose(actual.values, Array.from(values.subarray(0, count), reference), TOLERANCE[scalar]);
    expect(actual.spare).toEqual(repeated(UNTOUCHED, 7));
  });

  it("goes to zero and to x at the ends, beyond where exp overflows, and is exact at zero", async () => {
    const values = [-60_000, -1000, -104, -89, -88, -20, -1, -0.001, 0, 0.001, 1, 20, 88, 89, 1000, 60_000];
    const seen = rounded(scalar, values);
    const x = upload(gpu(), scalar, [values.length], values);
    const y = outputWithSpare(gpu(), scalar, values.length, 0);
    await runKernel(gpu(), silu, { bindings: { x, y }, parameters: { count: values.length }, scalar, grid: [1] });
    const actual = await download(gpu(), y);
    expectClose(actual, Array.from(seen, reference), TOLERANCE[scalar]);
    expect(actual[values.indexOf(0)]).toBe(0);
  });
});
