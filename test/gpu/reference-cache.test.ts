import { afterEach, describe, expect, it } from "vitest";
import type { HeadMajor } from "../../runtime/backend/attention.ts";
import type { Tensor } from "../../runtime/gpu/tensor.ts";
import {
  freeKeysValues,
  ReferenceCache,
  type ReferenceCacheStatistics,
  type ReferenceKeysValues,
} from "../../runtime/transformer/reference-cache.ts";
import { useGpu } from "../support/gpu.ts";

/** Bytes of an entry of one token: two blocks of two groups, each [2, 1 head, 1 token, 8] f32. */
const ENTRY_BYTES = 2 * 2 * 2 * 8 * 4;

describe("ReferenceCache", () => {
  const gpu = useGpu();
  const caches: ReferenceCache[] = [];
  afterEach(() => {
    for (const cache of caches.splice(0)) cache.clear();
    if (bytesOnGpu() > 0) throw new Error(`${bytesOnGpu()} bytes that no cache holds were not freed`);
  });

  const bytesOnGpu = (): number => gpu().memory.report().byCategory.referenceCache?.currentBytes ?? 0;
  const keysValues = (tokens = 1): ReferenceKeysValues => {
    const group = (): Tensor => gpu().memory.tensor("referenceCache", "keys and values", "f32", [2, 1, tokens, 8]);
    const block = (): HeadMajor => ({ capacity: tokens, groups: [group(), group()] });
    return { tokens, blocks: [block(), block()] };
  };
  /** A cache whose budget is so many entries of one token. */
  const cacheFor = (entries: number, spareBytes = 0): ReferenceCache => {
    const cache = new ReferenceCache(gpu().memory, entries * ENTRY_BYTES + spareBytes);
    caches.push(cache);
    return cache;
  };
  const filled = (entries: number, ...keys: readonly string[]): ReferenceCache => {
    const cache = cacheFor(entries);
    for (const key of keys) cache.put(key, keysValues());
    return cache;
  };
  /** The keys among `candidates` that are kept. Counts as use. */
  const kept = (cache: ReferenceCache, candidates: string): string =>
    Array.from(candidates)
      .filter((key) => cache.get(key))
      .join("");
  const counts = ({ statistics }: ReferenceCache): Omit<ReferenceCacheStatistics, "budgetBytes"> => {
    const { budgetBytes: _, ...rest } = statistics;
    return rest;
  };

  it("gives what was put, and nothing for another key", () => {
    const cache = cacheFor(2);
    const [a, b] = [keysValues(), keysValues(3)];
    cache.put("a", a);
    cache.put("b", b);
    expect(cache.get("a")).toBe(a);
    expect(cache.get("b")).toBe(b);
    expect(cache.get("c")).toBeUndefined();
  });

  it("counts hits, misses, entries and bytes", () => {
    const cache = cacheFor(4);
    expect(cache.statistics).toEqual({
      hits: 0,
      misses: 0,
      evictions: 0,
      entries: 0,
      bytes: 0,
      budgetBytes: 4 * ENTRY_BYTES,
    });
    cache.get("a");
    cache.put("a", keysValues());
    cache.put("b", keysValues(3));
    cache.get("a");
    cache.get("a");
    expect(counts(cache)).toEqual({ hits: 2, misses: 1, evictions: 0, entries: 2, bytes: 4 * ENTRY_BYTES });
    expect(bytesOnGpu()).toBe(4 * ENTRY_BYTES);
  });

  it.each([
    ["at the budget, none", 0, "ab", 0],
    ["one byte below what is needed, one", -1, "b", 1],
  ])("drops %s", (_, spareBytes, expected, evictions) => {
    const cache = cacheFor(2, spareBytes);
    cache.put("a", keysValues());
    cache.put("b", keysValues());
    cache.trim();
    expect(counts(cache)).toMatchObject({ evictions, entries: expected.length });
    expect(bytesOnGpu()).toBe(expected.length * ENTRY_BYTES);
    expect(kept(cache, "ab")).toBe(expected);
  });

  it("drops the least recently put first when none was used", () => {
    const cache = filled(2, "a", "b", "c", "d");
    cache.trim();
    expect(counts(cache)).toMatchObject({ evictions: 2, entries: 2, bytes: 2 * ENTRY_BYTES });
    expect(kept(cache, "abcd")).toBe("cd");
  });

  it("keeps what was used of late", () => {
    const cache = filled(2, "a", "b", "c");
    cache.get("a");
    cache.trim();
    expect(kept(cache, "abc")).toBe("ac");
  });

  it("drops as many small ones as a large one needs", () => {
    const cache = filled(4, "a", "b", "c", "d");
    cache.put("e", keysValues(3));
    cache.trim();
    expect(counts(cache)).toMatchObject({ evictions: 3, entries: 2, bytes: 4 * ENTRY_BYTES });
    expect(kept(cache, "abcde")).toBe("de");
  });

  it("keeps everything until it is trimmed, also what is larger than the budget", () => {
    const cache = cacheFor(2);
    const large = keysValues(5);
    cache.put("large", large);
    expect(cache.get("large")).toBe(large);
    expect(bytesOnGpu()).toBe(5 * ENTRY_BYTES);
    cache.trim();
    expect(cache.get("large")).toBeUndefined();
    expect(bytesOnGpu()).toBe(0);
  });

  it("does not drop small entries for one that never fits", () => {
    const cache = filled(2, "a", "b");
    cache.put("large", keysValues(3));
    cache.trim();
    expect(counts(cache)).toMatchObject({ evictions: 1, entries: 2, bytes: 2 * ENTRY_BYTES });
    expect(cache.get("large")).toBeUndefined();
    expect(kept(cache, "ab")).toBe("ab");
  });

  it("counts an entry that never fits as one eviction, also when others go with it", () => {
    const cache = cacheFor(2);
    cache.put("large", keysValues(3));
    for (const key of "abc") cache.put(key, keysValues());
    cache.trim();
    expect(counts(cache)).toMatchObject({ evictions: 2, entries: 2 });
    expect(kept(cache, "abc")).toBe("bc");
  });

  it("keeps nothing with a budget of 0", () => {
    const cache = filled(0, "a", "b");
    cache.trim();
    expect(counts(cache)).toMatchObject({ evictions: 2, entries: 0, bytes: 0 });
  });

  it("evicts nothing more when trimmed twice", () => {
    const cache = filled(1, "a", "b");
    cache.trim();
    cache.trim();
    expect(counts(cache)).toMatchObject({ evictions: 1, entries: 1 });
  });

  it("frees what a key held before, which is no eviction", () => {
    const cache = filled(4, "a", "b");
    const again = keysValues(2);
    cache.put("a", again);
    expect(counts(cache)).toMatchObject({ evictions: 0, entries: 2, bytes: 3 * ENTRY_BYTES });
    expect(bytesOnGpu()).toBe(3 * ENTRY_BYTES);
    expect(cache.get("a")).toBe(again);
  });

  it("frees everything when cleared, which is no eviction, and takes entries again", () => {
    const cache = filled(4, "a", "b", "c");
    cache.clear();
    expect(counts(cache)).toMatchObject({ evictions: 0, entries: 0, bytes: 0 });
    expect(bytesOnGpu()).toBe(0);
    cache.put("a", keysValues());
    expect(kept(cache, "abc")).toBe("a");
  });

  it("counts bytes as the GPU's memory does, padding included", () => {
    const cache = cacheFor(1);
    const odd = gpu().memory.tensor("referenceCache", "keys and values", "f16", [1, 1, 3, 1]);
    cache.put("odd", { tokens: 3, blocks: [{ capacity: 3, groups: [odd] }] });
    expect(cache.statistics.bytes).toBe(8);
    expect(bytesOnGpu()).toBe(8);
  });

  it("leaves keys and values that were never put to freeKeysValues", () => {
    const value = keysValues(2);
    freeKeysValues(gpu().memory, value);
    expect(bytesOnGpu()).toBe(0);
  });

  it("has values that the GPU can read until they go", async () => {
    const cache = cacheFor(1);
    const value = keysValues();
    const [first] = value.blocks[0]!.groups;
    const written = Float32Array.from({ length: 16 }, (_, i) => i);
    await gpu().checked("reference cache", async () => {
      gpu().recorder.write(first!, written);
      cache.put("a", value);
      cache.trim();
      expect(await gpu().recorder.readF32(cache.get("a")!.blocks[0]!.groups[0]!)).toEqual(written);
    });
  });
});
