import { describe, expect, it } from "vitest";
import { ReferenceCache, type ReferenceKeysValues } from "../../runtime/transformer/reference-cache.ts";
import { fakeMemory } from "../support/fake-memory.ts";

/** Bytes of one entry of `entry(1)`: two blocks of two groups of [2, 1, tokens, 4] f32. */
const UNIT = 2 * 2 * (2 * 4 * 4);

function setUp(budgetUnits: number) {
  const memory = fakeMemory();
  const entry = (tokens: number): ReferenceKeysValues => {
    const group = () => memory.tensor("referenceCache", "keys and values", "f32", [2, 1, tokens, 4]);
    const block = () => ({ capacity: tokens, groups: [group(), group()] });
    return { tokens, blocks: [block(), block()] };
  };
  const allocated = () => memory.report().currentBytes / UNIT;
  return { cache: new ReferenceCache(memory, budgetUnits * UNIT), entry, allocated };
}

describe("ReferenceCache", () => {
  it("gives what was put under a key, and nothing under another", () => {
    const { cache, entry } = setUp(10);
    const [a, b] = [entry(1), entry(2)];
    cache.put("a", a);
    cache.put("b", b);
    expect(cache.get("a")).toBe(a);
    expect(cache.get("b")).toBe(b);
    expect(cache.get("c")).toBeUndefined();
  });

  it("counts hits, misses, entries and bytes", () => {
    const { cache, entry } = setUp(10);
    const zero = { hits: 0, misses: 0, evictions: 0, entries: 0, bytes: 0, budgetBytes: 10 * UNIT };
    expect(cache.statistics).toEqual(zero);
    cache.get("a");
    cache.put("a", entry(3));
    cache.get("a");
    cache.get("a");
    expect(cache.statistics).toEqual({ ...zero, hits: 2, misses: 1, entries: 1, bytes: 3 * UNIT });
  });

  it("drops the least recently used first, and no more than it must", () => {
    const { cache, entry, allocated } = setUp(3);
    for (const key of ["a", "b", "c"]) cache.put(key, entry(1));
    cache.get("a");
    cache.put("d", entry(1));
    cache.trim();
    expect(cache.get("b")).toBeUndefined();
    for (const key of ["a", "c", "d"]) expect(cache.get(key)).toBeDefined();
    expect(cache.statistics).toMatchObject({ evictions: 1, entries: 3, bytes: 3 * UNIT });
    expect(allocated()).toBe(3);
  });

  it("keeps what fits the budget exactly, and not one byte more", () => {
    const fitting = setUp(2);
    fitting.cache.put("a", fitting.entry(1));
    fitting.cache.put("b", fitting.entry(1));
    fitting.cache.trim();
    expect(fitting.cache.statistics).toMatchObject({ entries: 2, evictions: 0 });
    const short = setUp(2 - 1 / UNIT);
    short.cache.put("a", short.entry(1));
    short.cache.put("b", short.entry(1));
    short.cache.trim();
    expect(short.cache.statistics).toMatchObject({ entries: 1, evictions: 1 });
    expect(short.cache.get("b")).toBeDefined();
  });

  it("drops several small entries for a large one", () => {
    const { cache, entry, allocated } = setUp(4);
    for (const key of ["a", "b", "c", "d"]) cache.put(key, entry(1));
    cache.put("e", entry(3));
    cache.trim();
    expect(["a", "b", "c", "d", "e"].filter((key) => cache.get(key))).toEqual(["d", "e"]);
    expect(allocated()).toBe(4);
  });

  it("keeps an entry above the budget until it is trimmed, then drops it and spares the others", () => {
    const { cache, entry, allocated } = setUp(2);
    cache.put("small", entry(1));
    cache.put("large", entry(3));
    expect(cache.get("large")).toBeDefined();
    expect(allocated()).toBe(4);
    cache.trim();
    expect(cache.get("large")).toBeUndefined();
    expect(cache.get("small")).toBeDefined();
    expect(cache.statistics).toMatchObject({ evictions: 1, bytes: UNIT });
    expect(allocated()).toBe(1);
  });

  it("keeps nothing with a budget of 0", () => {
    const { cache, entry, allocated } = setUp(0);
    cache.put("a", entry(1));
    expect(cache.get("a")).toBeDefined();
    cache.trim();
    expect(cache.get("a")).toBeUndefined();
    expect(allocated()).toBe(0);
  });

  it("frees the former entry of a key", () => {
    const { cache, entry, allocated } = setUp(10);
    cache.put("a", entry(1));
    const second = entry(2);
    cache.put("a", second);
    expect(cache.get("a")).toBe(second);
    expect(allocated()).toBe(2);
    expect(cache.statistics).toMatchObject({ entries: 1, bytes: 2 * UNIT, evictions: 0 });
  });

  it("frees everything when it is cleared, once", () => {
    const { cache, entry, allocated } = setUp(10);
    for (const key of ["a", "b"]) cache.put(key, entry(1));
    cache.clear();
    cache.clear();
    expect(allocated()).toBe(0);
    expect(cache.get("a")).toBeUndefined();
    expect(cache.statistics).toMatchObject({ entries: 0, bytes: 0, evictions: 0 });
  });
});
