import { describe, expect, it } from "vitest";
import { attentionWide } from "../../kernels/index.ts";
import { rowRanges } from "../../runtime/gpu/tensor.ts";
import { attention as reference } from "../reference/attention.ts";
import { expectClose, randomValues } from "../support/compare.ts";
import { download, rounded, SCALARS, upload, useGpu } from "../support/gpu.ts";
import { UNTOUCHED } from "../support/kernels.ts";

/** A key too many or too few among the 149 of the largest case moves the output by more than 5e-3. */
const TOLERANCE = { f32: { absolute: 5e-6, relative: 1e-5 }, f16: { absolute: 5e-4, relative: 2e-3 } } as const;
const NARROW = { width: 40, lanes: 8 };
const TILE_Q = 512 / NARROW.lanes;
const TILE_K = 4 * NARROW.lanes;

interface Case {
  readonly width: number;
  /** LANES_K */
  readonly lanes: number;
  readonly queries: number;
  /** Keys of each dispatch. */
  readonly keys: readonly number[];
  /** Most queries of a dispatch. */
  readonly rowsPerDispatch?: number;
  /** [rows, width] each; random unless given. */
  readonly values?: { readonly queries: Float32Array; readonly keys: Float32Array; readonly values: Float32Array };
}

describe.each(SCALARS)("attention-wide in %s", (scalar) => {
  const gpu = useGpu();

  async function expectAttention({
    width,
    lanes,
    queries,
    keys,
    rowsPerDispatch = queries,
    values: given,
  }: Case): Promise<void> {
    const keyCount = keys.reduce((sum, count) => sum + count, 0);
    const x = given ?? {
      queries: randomValues(queries * width).map((value) => 4 * value),
      keys: randomValues(keyCount * width, 2),
      values: randomValues(keyCount * width, 3),
    };
    const rows = {
      queries: rounded(scalar, x.queries),
      keys: rounded(scalar, x.keys),
      values: rounded(scalar, x.values),
    };
    const out = upload(gpu(), scalar, [queries + 1, width], new Float32Array((queries + 1) * width).fill(UNTOUCHED));
    const state = upload(gpu(), "f32", [queries, width + 2], new Float32Array(queries * (width + 2)).fill(NaN));
    const q = upload(gpu(), scalar, [queries, width], rows.queries);
    await gpu().checked("attention-wide", async () => {
      let firstKey = 0;
      for (const [i, count] of keys.entries()) {
        // a row of NaN behind the keys: reading it would show
        const chunk = (of: Float32Array): Float32Array => {
          const padded = new Float32Array((count + 1) * width).fill(NaN);
          padded.set(of.subarray(firstKey * width, (firstKey + count) * width));
          return padded;
        };
        const bindings = {
          queries: q,
          keys: upload(gpu(), scalar, [count + 1, width], chunk(rows.keys)),
          values: upload(gpu(), scalar, [count + 1, width], chunk(rows.values)),
          state,
          out,
        };
        for (const range of rowRanges(queries, rowsPerDispatch))
          gpu().recorder.dispatch(attentionWide, {
            bindings,
            parameters: {
              width,
              query_start: range.first,
              query_count: range.count,
              key_count: count,
              first: i === 0 ? 1 : 0,
              last: i === keys.length - 1 ? 1 : 0,
              scale: 1 / Math.sqrt(width),
            },
            overrides: { LANES_K: lanes },
            scalar,
            grid: [Math.ceil(range.count / (512 / lanes))],
          });
        firstKey += count;
      }
    });
    const actual = await download(gpu(), out);
    const head = (of: Float32Array) => ({ values: of, heads: 1, headDim: width });
    expect([...actual.subarray(queries * width)]).toEqual(Array.from({ length: width }, () => UNTOUCHED));
    expectClose(
      actual.subarray(0, queries * width),
      reference(head(rows.queries), head(rows.keys), head(rows.values)),
      TOLERANCE[scalar],
    );
  }

  // one, two and four parts of the output, whole and not, for each number of lanes
  it.each([
    [1, 8],
    [24, 8],
    [32, 8],
    [33, 8],
    [42, 8],
    [64, 8],
    [96, 8],
    [128, 8],
    [129, 32],
    [256, 32],
    [257, 32],
    [384, 32],
    [511, 32],
    [512, 32],
  ])("takes rows of %d channels with %d lanes a key", (width, lanes) =>
    expectAttention({ width, lanes, queries: 21, keys: [9, 140] }),
  );

  it.each([1, TILE_Q - 1, TILE_Q, TILE_Q + 1, 2 * TILE_Q + 7])("takes %d queries", (queries) =>
    expectAttention({ ...NARROW, queries, keys: [45] }),
  );

  it.each([1, TILE_K - 1, TILE_K, TILE_K + 1, 3 * TILE_K + 5])("takes %d keys", (keys) =>
    expectAttention({ ...NARROW, queries: 9, keys: [keys] }),
  );

  it.each([[[1, 1]], [[32, 33, 70]], [[1, 64, 2, 68]]])("carries its state over dispatches of %j keys", (keys) =>
    expectAttention({ ...NARROW, queries: TILE_Q + 3, keys }),
  );

  it("takes some of the queries a dispatch", () =>
    expectAttention({ ...NARROW, queries: TILE_Q + 30, keys: [20, 25], rowsPerDispatch: 37 }));

  it("stays right at scores of ±10 000, where one key takes all", () => {
    const [queries, keys, width] = [20, 75, NARROW.width];
    // multiples of 16: products and sums are exact
    const large = (seed: number, rows: number): Float32Array =>
      randomValues(rows * width, seed).map((value) => Math.round(value * 8) * 16);
    const values = { queries: large(1, queries), keys: large(2, keys), values: randomValues(keys * width, 3) };
    return expectAttention({ ...NARROW, queries, keys: [40, 35], values });
  });

  it("takes the mean of the values where all keys are equal", () => {
    const [queries, keys, width] = [20, 75, NARROW.width];
    const row = randomValues(width, 5);
    const equal = Float32Array.from({ length: keys * width }, (_, i) => row[i % width]! * 8);
    const values = { queries: randomValues(queries * width), keys: equal, values: randomValues(keys * width, 3) };
    return expectAttention({ ...NARROW, queries, keys: [40, 35], values });
  });
});
