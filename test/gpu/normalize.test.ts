import { describe, expect, it } from "vitest";
import { normalize } from "../../kernels/index.ts";
import { readMatrix, writeMatrix } from "../../runtime/gpu/chunked-matrix.ts";
import { modulatedInput } from "../../runtime/transformer/step-cache-measure.ts";
import { layerNorm as reference, rmsNorm } from "../reference/dense.ts";
import { expectClose, randomValues } from "../support/compare.ts";
import { rounded, SCALARS, upload, useGpu } from "../support/gpu.ts";
import { downloadWithSpare, outputWithSpare, repeated, runKernel, UNTOUCHED } from "../support/kernels.ts";

const EPS = 1e-6;
const TOLERANCE = { f32: { absolute: 1e-5, relative: 1e-5 }, f16: { absolute: 1e-3, relative: 2 ** -10 } } as const;

describe.each(SCALARS)("normalize in %s", (scalar) => {
  const gpu = useGpu();

  for (const columns of [4, 252, 256, 260, 1204])
    for (const rows of [1, 3])
      it(`normalises ${rows} rows of ${columns} columns and leaves what is beyond`, async () => {
        const x = randomValues(rows * columns);
        const scale = randomValues(columns, 2);
        const shift = randomValues(columns, 3);
        const y = outputWithSpare(gpu(), scalar, rows * columns);
        await runKernel(gpu(), normalize, {
          bindings: {
            x: upload(gpu(), "f32", [rows, columns], x),
            scale: upload(gpu(), "f32", [columns], scale),
            shift: upload(gpu(), "f32", [columns], shift),
            y,
          },
          parameters: { rows, quads: columns / 4, eps: EPS },
          scalar,
          grid: [Math.ceil(rows / 2) + 1, 2], // two rows of workgroups, some to spare
        });
        const { values, spare } = await downloadWithSpare(gpu(), y, rows * columns);
        expectClose(values, reference(x, scale, shift, EPS), TOLERANCE[scalar]);
        expect(spare).toEqual(repeated(UNTOUCHED, spare.length));
      });

  for (const [LANES, ITEMS] of [
    [1, 8],
    [16, 4],
  ] as const)
    for (const rows of [1, ITEMS - 1, ITEMS, ITEMS + 1])
      it(`normalises ${rows} rows, ${ITEMS} a workgroup with ${LANES} lanes each`, async () => {
        const columns = 68;
        const x = randomValues(rows * columns);
        const [scale, shift] = [randomValues(columns, 2), randomValues(columns, 3)];
        const y = outputWithSpare(gpu(), scalar, rows * columns);
        await runKernel(gpu(), normalize, {
          bindings: {
            x: upload(gpu(), "f32", [rows, columns], x),
            scale: upload(gpu(), "f32", [columns], scale),
            shift: upload(gpu(), "f32", [columns], shift),
            y,
          },
          parameters: { rows, quads: columns / 4, eps: EPS },
          overrides: { LANES, ITEMS },
          scalar,
          grid: [Math.ceil(rows / ITEMS)],
        });
        const { values, spare } = await downloadWithSpare(gpu(), y, rows * columns);
        expectClose(values, reference(x, scale, shift, EPS), TOLERANCE[scalar]);
        expect(spare).toEqual(repeated(UNTOUCHED, spare.length));
      });

  it("divides by the root mean square, and changes the type alone, from either type", async () => {
    const [rows, columns] = [3, 68];
    const scale = randomValues(columns, 2);
    for (const residual of SCALARS)
      for (const [KIND, expected] of [
        [0, (x: Float32Array) => x],
        [2, (x: Float32Array) => rmsNorm(x, scale, EPS)],
      ] as const) {
        const x = rounded(residual, randomValues(rows * columns));
        const y = outputWithSpare(gpu(), scalar, rows * columns, 8);
        const weight = upload(gpu(), "f32", [columns], scale);
        await runKernel(gpu(), normalize, {
          bindings: { x: upload(gpu(), residual, [rows, columns], x), scale: weight, shift: weight, y },
          parameters: { rows, quads: columns / 4, eps: EPS },
          overrides: { KIND },
          scalar,
          residual,
          grid: [rows],
        });
        const { values } = await downloadWithSpare(gpu(), y, rows * columns);
        expectClose(values, expected(x), TOLERANCE[scalar]);
      }
  });

  it("keeps a small deviation beside a mean thousands of times larger", async () => {
    const x = randomValues(256).map((value) => 4096 + value);
    const y = outputWithSpare(gpu(), scalar, 256);
    const [ones, zeros] = [new Float32Array(256).fill(1), new Float32Array(256)];
    await runKernel(gpu(), normalize, {
      bindings: {
        x: upload(gpu(), "f32", [1, 256], x),
        scale: upload(gpu(), "f32", [256], ones),
        shift: upload(gpu(), "f32", [256], zeros),
        y,
      },
      parameters: { rows: 1, quads: 64, eps: EPS },
      scalar,
      grid: [1],
    });
    const { values } = await downloadWithSpare(gpu(), y, 256);
    // the mean itself is rounded to 2 ** -11 here, against a deviation of 0.58
    expectClose(values, reference(x, ones, zeros, EPS), { absolute: 2e-3 });
  });
});

describe("modulatedInput", () => {
  const gpu = useGpu();

  it("is the modulated LayerNorm of every row, over chunks", async () => {
    const [rows, columns] = [7, 40];
    const x = randomValues(rows * columns);
    const [scale, shift] = [randomValues(columns, 2), randomValues(columns, 3)];
    const actual = await gpu().checked("modulated input", async () => {
      using scope = gpu().memory.scope();
      const hidden = scope.matrix("hidden", "f32", rows, columns, 3);
      writeMatrix(gpu().recorder, hidden, x);
      const modulation = {
        scale: upload(gpu(), "f32", [columns], scale),
        shift: upload(gpu(), "f32", [columns], shift),
      };
      return await readMatrix(gpu().recorder, modulatedInput(gpu(), scope, hidden, modulation, EPS));
    });
    expectClose(actual, reference(x, scale, shift, EPS), TOLERANCE.f32);
  });
});
