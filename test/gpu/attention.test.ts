import { describe, expect, it, vi } from "vitest";
import { attention as kernel } from "../../kernels/index.ts";
import { Attention, type HeadMajor, type KeySegment } from "../../runtime/backend/attention.ts";
import type { Gpu } from "../../runtime/gpu/device.ts";
import { type ChunkedMatrix, rowRanges, type ScalarType } from "../../runtime/gpu/tensor.ts";
import { packBits } from "../../runtime/text/encoder.ts";
import { attention as reference, type HeadRows } from "../reference/attention.ts";
import { expectClose, randomValues } from "../support/compare.ts";
import { download, rounded, SCALARS, upload, uploadU32, useGpu } from "../support/gpu.ts";

const { TILE_Q } = kernel.overrides;
const TILE_K = 32;
/** Rows of a buffer behind those in use; they hold NaN, so that reading one shows. */
const SPARE_ROWS = 3;
/** A key too many or too few among the 200 of the largest case moves the output by more than 5e-3. */
const TOLERANCE = { f32: { absolute: 5e-6, relative: 1e-5 }, f16: { absolute: 5e-4, relative: 2e-3 } } as const;

interface Case {
  readonly heads?: number;
  readonly kvHeads?: number;
  readonly headDim?: number;
  readonly queries: number;
  /** Lengths of the segments. */
  readonly keys: readonly number[];
  readonly causal?: boolean;
  readonly mask?: readonly number[];
  readonly rowsPerChunk?: number;
  /** Values of queries, keys and values, [rows, heads · headDim] each; random unless given. */
  readonly values?: { readonly queries: Float32Array; readonly keys: Float32Array; readonly values: Float32Array };
}

/** Each is a compilation of seconds on a software adapter: all multiples of 8 in the full run. */
const HEAD_DIMS = {
  f32: process.env["KLEINBILD_FULL"] === "1" ? Array.from({ length: 16 }, (_, i) => 8 * (i + 1)) : [8, 32, 40, 96, 128],
  f16: [8, 40, 128],
} as const;

describe.each(SCALARS)("attention in %s", (scalar) => {
  const gpu = useGpu();
  const smallGpu = useGpu({ maxBindingBytes: 2 ** 20 });

  it.each([1, TILE_Q - 1, TILE_Q, TILE_Q + 1, 97])("takes %d queries", (queries) =>
    expectAttention(gpu, scalar, { queries, keys: [45] }),
  );

  it.each([1, TILE_K - 1, TILE_K, TILE_K + 1, 2 * TILE_K, 77])("takes %d keys", (keys) =>
    expectAttention(gpu, scalar, { queries: 19, keys: [keys] }),
  );

  it.each(HEAD_DIMS[scalar])("takes heads of %d channels", (headDim) =>
    expectAttention(gpu, scalar, { headDim, heads: 2, queries: 35, keys: [20, 27] }),
  );

  it.each([[[40]], [[33, 50]], [[0, 50]], [[33, 0, 31]], [[1, 64, 7]], [[48, 100, 52]]])(
    "joins segments of %j keys",
    (keys) => expectAttention(gpu, scalar, { queries: 21, keys }),
  );

  it("gives zeros where there is no key at all", () => expectAttention(gpu, scalar, { queries: 5, keys: [0] }));

  it.each([1, TILE_K - 1, TILE_K, TILE_K + 1, TILE_Q + 1, 130])("is causal over %d positions", (length) =>
    expectAttention(gpu, scalar, { queries: length, keys: [length], causal: true }),
  );

  it("counts positions over all segments when causal", () =>
    expectAttention(gpu, scalar, { queries: 100, keys: [37, 30, 33], causal: true }));

  it("leaves masked keys out, also where whole tiles and whole words of the mask are empty", () => {
    const mask = Array.from({ length: 200 }, (_, i) => (i >= 30 && i < 135 ? 0 : i % 3 === 0 ? 0 : 1));
    return expectAttention(gpu, scalar, { queries: 20, keys: [200], mask });
  });

  it("reads the mask across segments that do not begin at a word", () => {
    const mask = Array.from({ length: 150 }, (_, i) => ((i * 7) % 5 < 2 ? 0 : 1));
    return expectAttention(gpu, scalar, { queries: 20, keys: [33, 50, 67], mask });
  });

  it("lets padding see the prompt only, and gives zeros to a query that sees nothing", async () => {
    const length = 80;
    const prompt = Array.from({ length }, (_, i) => (i < 45 ? 1 : 0));
    const late = Array.from({ length }, (_, i) => (i < 40 || i > 60 ? 0 : 1));
    await expectAttention(gpu, scalar, { queries: length, keys: [length], causal: true, mask: prompt });
    const out = await attend(gpu, scalar, { queries: length, keys: [length], causal: true, mask: late });
    expect(out.subarray(0, 40 * 2 * 64).every((value) => value === 0)).toBe(true);
  });

  it.each([
    [4, 2],
    [6, 2],
    [4, 1],
  ])("shares keys and values among %d query heads to %d", (heads, kvHeads) =>
    expectAttention(gpu, scalar, { heads, kvHeads, queries: 34, keys: [34], causal: true }),
  );

  it("stays right at scores of ±10 000, where one key takes all", async () => {
    const [queries, keys] = [30, 70];
    const base = {
      queries: randomValues(queries * 64),
      keys: randomValues(keys * 64, 2),
      values: randomValues(keys * 64, 3),
    };
    // multiples of 16: products and sums are exact, and no two scores are closer than 32 unless they are equal
    const large = (values: Float32Array): Float32Array => values.map((value) => Math.round(value * 8) * 16);
    const values = { queries: large(base.queries), keys: large(base.keys), values: base.values };
    const scores = products(values, 64);
    expect(Math.max(...scores)).toBeGreaterThan(1e4);
    expect(Math.min(...scores)).toBeLessThan(-1e4);
    await expectAttention(gpu, scalar, { heads: 1, queries, keys: [keys], values });
  });

  it("takes the mean of the values where all keys are equal", async () => {
    const [queries, keys] = [18, 67];
    const row = randomValues(64, 5);
    const equal = Float32Array.from({ length: keys * 64 }, (_, i) => row[i % 64]! * 8);
    const values = { queries: randomValues(queries * 64), keys: equal, values: randomValues(keys * 64, 3) };
    const out = await attend(gpu, scalar, { heads: 1, queries, keys: [keys], values });
    const seen = rounded(scalar, values.values);
    const mean = Float64Array.from({ length: 64 }, (_, c) => {
      let sum = 0;
      for (let key = 0; key < keys; key++) sum += seen[key * 64 + c]!;
      return sum / keys;
    });
    expectClose(out.subarray(0, 64), mean, TOLERANCE[scalar]);
  });

  it("writes rows of several chunks", () =>
    expectAttention(gpu, scalar, { queries: 150, keys: [40], causal: true, rowsPerChunk: 70 }));

  it("gives the same in many short dispatches", async () => {
    const shape = { queries: 3 * TILE_Q + 5, keys: [50], causal: true };
    const whole = await attend(gpu, scalar, shape);
    const work = vi.spyOn(gpu().recorder.meter, "workPerDispatch", "get").mockReturnValue(1);
    const dispatch = vi.spyOn(gpu().recorder, "dispatch");
    try {
      expect(await attend(gpu, scalar, shape)).toEqual(whole);
      expect(dispatch.mock.calls.length).toBe(4);
    } finally {
      work.mockRestore();
      dispatch.mockRestore();
    }
  });

  it.each([
    [4, 4],
    [6, 2],
  ])("cuts %d heads (%d of keys) into groups under a binding limit of 1 MiB", async (heads, kvHeads) => {
    using scope = smallGpu().memory.scope();
    expect(create(smallGpu(), scalar, heads, kvHeads, 64).queries(scope, 1).groups.length).toBe(kvHeads);
    await expectAttention(smallGpu, scalar, { heads, kvHeads, queries: 70, keys: [33, 40] });
    await expectAttention(smallGpu, scalar, { heads, kvHeads, queries: 70, keys: [70], causal: true });
  });

  it.each([
    [4, 4, 2],
    [8, 2, 4],
  ])(
    "refuses more tokens than a binding holds, for %d heads to %d, and says how many it does",
    (heads, kvHeads, share) => {
      const attention = create(smallGpu(), scalar, heads, kvHeads, 64);
      const most = 2 ** 20 / (share * 64 * (scalar === "f32" ? 4 : 2));
      using scope = smallGpu().memory.scope();
      expect(attention.queries(scope, most).capacity).toBe(most);
      expect(attention.keysValues(scope, most).capacity).toBe(most);
      const refused = expect.objectContaining({
        code: "unsupported",
        message: expect.stringContaining(`${most} tokens`),
      });
      expect(() => attention.queries(scope, most + 1)).toThrowError(refused);
      expect(() => attention.keysValues(scope, most + 1)).toThrowError(refused);
      expect(() => attention.keysValues("referenceCache", most + 1)).toThrowError(refused);
    },
  );

  it("refuses segments and outputs that do not fit", () => {
    const attention = create(gpu(), scalar, 2, 2, 8);
    using scope = gpu().memory.scope();
    const queries = attention.queries(scope, 4);
    const segment: KeySegment = { keysValues: attention.keysValues(scope, 4), length: 4 };
    const out = (rows: number, columns: number): ChunkedMatrix => scope.matrix("attended", scalar, rows, columns, rows);
    const refused = expect.objectContaining({ code: "invalid-shape" });
    expect(() => attention.attend(queries, [], out(4, 16))).toThrowError(refused);
    expect(() => attention.attend(queries, [segment, segment, segment, segment], out(4, 16))).toThrowError(refused);
    expect(() => attention.attend(queries, [{ ...segment, length: 5 }], out(4, 16))).toThrowError(refused);
    expect(() => attention.attend(queries, [segment], out(4, 24))).toThrowError(refused);
    expect(() => attention.attend(queries, [segment], out(5, 16))).toThrowError(refused);
  });
});

function create(gpu: Gpu, scalar: ScalarType, heads: number, kvHeads: number, headDim: number): Attention {
  return new Attention(gpu, scalar, { heads, kvHeads, headDim, pairs: "adjacent", eps: 1e-6 });
}

async function expectAttention(useGpuOf: () => Gpu, scalar: ScalarType, test: Case): Promise<void> {
  await attend(useGpuOf, scalar, test);
}

/** Attends on the GPU and compares with the reference; gives the output [queries, heads · headDim]. */
async function attend(useGpuOf: () => Gpu, scalar: ScalarType, test: Case): Promise<Float32Array> {
  const gpu = useGpuOf();
  const { heads = 2, kvHeads = heads, headDim = 64, causal = false } = test;
  const keyCount = test.keys.reduce((sum, length) => sum + length, 0);
  const given = test.values ?? {
    queries: randomValues(test.queries * heads * headDim).map((value) => 4 * value),
    keys: randomValues(keyCount * kvHeads * headDim, 2),
    values: randomValues(keyCount * kvHeads * headDim, 3),
  };
  const queries = { values: rounded(scalar, given.queries), heads, headDim };
  const keys = { values: rounded(scalar, given.keys), heads: kvHeads, headDim };
  const values = { values: rounded(scalar, given.values), heads: kvHeads, headDim };
  const attention = create(gpu, scalar, heads, kvHeads, headDim);
  using scope = gpu.memory.scope();
  const groups = attention.queries(scope, 1).groups.length;
  const place = uploader(gpu, scalar, groups);
  const segments: KeySegment[] = [];
  let first = 0;
  for (const length of test.keys) {
    segments.push({ keysValues: place([keys, values], first, length), length });
    first += length;
  }
  const out = scope.matrix("attended", scalar, test.queries, heads * headDim, test.rowsPerChunk ?? test.queries);
  const mask = test.mask && uploadU32(gpu, packBits(test.mask));
  await gpu.checked("attention", async () =>
    attention.attend(place([queries], 0, test.queries), segments, out, mask ? { causal, mask } : { causal }),
  );
  const actual = new Float32Array(test.queries * heads * headDim);
  for (const [i, { first: row }] of rowRanges(out.rows, out.rowsPerChunk).entries())
    actual.set(await download(gpu, out.chunks[i]!), row * heads * headDim);
  expectClose(actual, reference(queries, keys, values, { causal, mask: test.mask }), TOLERANCE[scalar]);
  return actual;
}

/** Puts rows `first … first + length − 1` of some [rows, heads · headDim] where attention reads them: [parts, heads, capacity, headDim]. */
function uploader(gpu: Gpu, scalar: ScalarType, groups: number) {
  return (parts: readonly HeadRows[], first: number, length: number): HeadMajor => {
    const { heads, headDim } = parts[0]!;
    const capacity = length === 0 ? 0 : length + SPARE_ROWS;
    const perGroup = heads / groups;
    const tensors = Array.from({ length: groups }, (_, group) => {
      const data = new Float32Array(parts.length * perGroup * capacity * headDim).fill(NaN);
      for (const [part, { values }] of parts.entries())
        for (let head = 0; head < perGroup; head++)
          for (let row = 0; row < length; row++)
            for (let c = 0; c < headDim; c++)
              data[((part * perGroup + head) * capacity + row) * headDim + c] =
                values[((first + row) * heads + group * perGroup + head) * headDim + c]!;
      return upload(gpu, scalar, [parts.length, perGroup, capacity, headDim], data);
    });
    return { capacity, groups: tensors };
  };
}

/** Scores of every query and key of one head. */
function products({ queries, keys }: { queries: Float32Array; keys: Float32Array }, headDim: number): number[] {
  const scores: number[] = [];
  for (let q = 0; q < queries.length; q += headDim)
    for (let k = 0; k < keys.length; k += headDim) {
      let sum = 0;
      for (let c = 0; c < headDim; c++) sum += queries[q + c]! * keys[k + c]!;
      scores.push(sum / Math.sqrt(headDim));
    }
  return scores;
}
