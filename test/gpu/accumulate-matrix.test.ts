import { describe, expect, it } from "vitest";
import type { Gpu } from "../../runtime/gpu/device.ts";
import type { MemoryScope } from "../../runtime/gpu/memory.ts";
import { accumulateMatrix, readMatrix, writeMatrix } from "../../runtime/gpu/chunked-matrix.ts";
import type { ChunkedMatrix } from "../../runtime/gpu/tensor.ts";
import { guide } from "../../runtime/pipeline/sample-picture.ts";
import { expectClose, randomValues } from "../support/compare.ts";
import { useGpu } from "../support/gpu.ts";

const COLUMNS = 13;
const ROWS_PER_CHUNK = 5;

interface Pair {
  readonly target: ChunkedMatrix;
  readonly x: ChunkedMatrix;
}

/** Runs `operator` on two matrices in chunks; gives what became of the first, and checks that the second is as it was. */
async function run(
  gpu: Gpu,
  rows: number,
  target: Float32Array,
  x: Float32Array,
  operator: (pair: Pair) => void,
): Promise<Float32Array> {
  using scope = gpu.memory.scope();
  return await gpu.checked("accumulate a matrix", async () => {
    const pair = { target: upload(gpu, scope, rows, target), x: upload(gpu, scope, rows, x) };
    operator(pair);
    expect(await readMatrix(gpu.recorder, pair.x)).toEqual(x);
    return readMatrix(gpu.recorder, pair.target);
  });
}

function upload(gpu: Gpu, scope: MemoryScope, rows: number, values: Float32Array): ChunkedMatrix {
  const matrix = scope.matrix("test input", "f32", rows, COLUMNS, ROWS_PER_CHUNK);
  writeMatrix(gpu.recorder, matrix, values);
  return matrix;
}

/** Two matrices of values in −1…1. */
const inputs = (rows: number): readonly [Float32Array, Float32Array] => [
  randomValues(rows * COLUMNS),
  randomValues(rows * COLUMNS, 2),
];

describe("rows combined on the GPU", () => {
  const gpu = useGpu();

  it.each([1, ROWS_PER_CHUNK - 1, ROWS_PER_CHUNK, ROWS_PER_CHUNK + 1, 17])(
    "are a · target + b · x, for %d rows in chunks of 5",
    async (rows) => {
      const [target, x] = inputs(rows);
      const actual = await run(gpu(), rows, target, x, (pair) =>
        accumulateMatrix(gpu().recorder, pair.target, 0.75, pair.x, -1.5),
      );
      expectClose(
        actual,
        Array.from(target, (value, i) => 0.75 * value - 1.5 * x[i]!),
        { absolute: 3e-7 },
      );
    },
  );

  it.each([1.5, 4, 100])(
    "are guided by %d: unconditional + guidance · (conditional − unconditional)",
    async (guidance) => {
      const [unconditional, conditional] = inputs(7);
      const actual = await run(gpu(), 7, unconditional, conditional, ({ target, x }) =>
        guide(gpu().recorder, target, x, guidance),
      );
      const expected = Array.from(unconditional, (value, i) => value + guidance * (conditional[i]! - value));
      expectClose(actual, expected, { absolute: guidance * 2e-7 });
    },
  );

  it.each([
    [1, "conditional"],
    [0, "unconditional"],
  ] as const)("are with guidance %d the %s ones, exactly", async (guidance, which) => {
    const [unconditional, conditional] = inputs(7);
    const actual = await run(gpu(), 7, unconditional, conditional, ({ target, x }) =>
      guide(gpu().recorder, target, x, guidance),
    );
    expect(actual).toEqual({ conditional, unconditional }[which]);
  });
});
