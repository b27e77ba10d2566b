import { describe, expect, it } from "vitest";
import { Attention, type HeadMajor, type HeadShape } from "../../runtime/backend/attention.ts";
import type { Gpu } from "../../runtime/gpu/device.ts";
import { rowRanges } from "../../runtime/gpu/tensor.ts";
import { normRotate } from "../reference/attention.ts";
import { expectClose, randomValues } from "../support/compare.ts";
import { download, rounded, SCALARS, upload, useGpu } from "../support/gpu.ts";
import { UNTOUCHED } from "../support/kernels.ts";

const TOLERANCE = { f32: { absolute: 2e-6, relative: 1e-5 }, f16: { absolute: 1e-4, relative: 1e-3 } } as const;
const EPS = 1e-3;

interface Case {
  readonly heads?: number;
  readonly kvHeads?: number;
  readonly headDim?: number;
  readonly pairs?: HeadShape["pairs"];
  readonly rows: number;
  readonly rowsPerChunk?: number;
  /** Rows of the targets, and of the rotary table, beyond those written. */
  readonly spare?: number;
  /** What the projections are multiplied by. */
  readonly size?: number;
}

describe.each(SCALARS)("head-norm-rope in %s", (scalar) => {
  const gpu = useGpu();
  const smallGpu = useGpu({ maxBindingBytes: 2 ** 20 });
  const hardware = useGpu({}, "hardware");

  async function expectPrepared(on: Gpu, test: Case): Promise<{ readonly groups: number }> {
    const { heads = 2, kvHeads = heads, headDim = 32, pairs = "adjacent", rows, spare = 0, size = 3 } = test;
    const { rowsPerChunk = rows } = test;
    const attention = new Attention(on, scalar, { heads, kvHeads, headDim, pairs, eps: EPS });
    using scope = on.memory.scope();
    const capacity = rows + spare;
    const target = { queries: attention.queries(scope, capacity), keysValues: attention.keysValues(scope, capacity) };
    for (const tensor of [...target.queries.groups, ...target.keysValues.groups]) {
      const count = tensor.shape.reduce((product, n) => product * n, 1);
      const untouched = upload(on, scalar, [count], new Float32Array(count).fill(UNTOUCHED));
      on.recorder.copy(untouched, 0, tensor, 0, count);
    }
    const angles = randomValues((capacity * headDim) / 2, 9).map((value) => 4 * value);
    const table = Float32Array.from({ length: angles.length * 2 }, (_, i) =>
      i % 2 === 0 ? Math.cos(angles[i >> 1]!) : Math.sin(angles[i >> 1]!),
    );
    const rotary = upload(on, "f32", [capacity, headDim / 2, 2], table);
    const weights = randomValues(2 * headDim, 8).map((value) => 1 + value / 2);
    const projection = (n: number, seed: number) => ({
      values: rounded(
        scalar,
        randomValues(rows * n * headDim, seed).map((value) => size * value),
      ),
      heads: n,
      headDim,
    });
    const [queries, keys, values] = [projection(heads, 1), projection(kvHeads, 2), projection(kvHeads, 3)];
    const normWeights = upload(on, "f32", [2, headDim], weights);
    await on.checked("head-norm-rope", async () => {
      for (const { first, count } of rowRanges(rows, rowsPerChunk)) {
        const chunk = (of: ReturnType<typeof projection>) => {
          const columns = of.heads * headDim;
          return upload(on, scalar, [count, columns], of.values.subarray(first * columns, (first + count) * columns));
        };
        const projected = { queries: chunk(queries), keys: chunk(keys), values: chunk(values) };
        attention.prepare({ projected, normWeights, rotary, firstRow: first, target });
      }
    });
    const q = normRotate(queries, weights.subarray(0, headDim), angles, EPS, pairs);
    const k = normRotate(keys, weights.subarray(headDim), angles, EPS, pairs);
    expectClose(await joined(on, target.queries), headMajor(q, heads, headDim, capacity), TOLERANCE[scalar]);
    const [gotKeys, gotValues] = halves(
      await Promise.all(target.keysValues.groups.map((group) => download(on, group))),
    );
    expectClose(gotKeys, headMajor(k, kvHeads, headDim, capacity), TOLERANCE[scalar]);
    expect(gotValues).toEqual(Float32Array.from(headMajor(values.values, kvHeads, headDim, capacity))); // copied as they are
    return { groups: target.queries.groups.length };
  }

  for (const pairs of ["adjacent", "halves"] as const)
    it.each([8, 24, 32, 64, 96, 120, 128])(
      `normalises and rotates heads of %d channels, pairs ${pairs}`,
      async (headDim) => {
        await expectPrepared(gpu(), { headDim, pairs, rows: 5 });
      },
    );

  it.each([1, 2, 7, 8, 9, 65])("takes %d rows", async (rows) => {
    await expectPrepared(gpu(), { rows });
  });

  it.each([
    [1, 32],
    [3, 32],
    [5, 32],
    [3, 24],
    [2, 128],
  ])("takes %d rows of heads of %d channels with lanes shared out as on a GPU", async (rows, headDim) => {
    await expectPrepared(hardware(), { rows, headDim });
  });

  it("takes fewer heads of keys than of queries", async () => {
    await expectPrepared(gpu(), { heads: 6, kvHeads: 2, rows: 7, pairs: "halves" });
  });

  it("puts each chunk at its rows and leaves the others as they are", async () => {
    await expectPrepared(gpu(), { rows: 20, rowsPerChunk: 6, spare: 3 });
  });

  it.each([0, 1e-3, 200])("keeps eps where values are of size %d", async (size) => {
    await expectPrepared(gpu(), { rows: 4, size });
  });

  it.each([
    [4, 4],
    [6, 3],
  ])("writes %d heads (%d of keys) in groups under a binding limit of 1 MiB", async (heads, kvHeads) => {
    const { groups } = await expectPrepared(smallGpu(), { heads, kvHeads, rows: 9, spare: 2, headDim: 64 });
    expect(groups).toBe(kvHeads);
  });
});

/** [rows, heads · headDim] as [heads, capacity, headDim], `UNTOUCHED` beyond the rows. */
function headMajor(x: ArrayLike<number>, heads: number, headDim: number, capacity: number): Float64Array {
  const out = new Float64Array(heads * capacity * headDim).fill(UNTOUCHED);
  for (let i = 0; i < x.length; i++) {
    const [row, head, c] = [Math.floor(i / (heads * headDim)), Math.floor(i / headDim) % heads, i % headDim];
    out[(head * capacity + row) * headDim + c] = x[i]!;
  }
  return out;
}

async function joined(gpu: Gpu, { groups }: HeadMajor): Promise<Float32Array> {
  return concatenated(await Promise.all(groups.map((group) => download(gpu, group))));
}

/** Keys and values of all groups. */
function halves(groups: readonly Float32Array[]): [Float32Array, Float32Array] {
  const half = (group: Float32Array, second: 0 | 1): Float32Array =>
    group.subarray((second * group.length) / 2, ((second + 1) * group.length) / 2);
  return [concatenated(groups.map((group) => half(group, 0))), concatenated(groups.map((group) => half(group, 1)))];
}

function concatenated(parts: readonly Float32Array[]): Float32Array {
  return Float32Array.from(parts.flatMap((part) => [...part]));
}
