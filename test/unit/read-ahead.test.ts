import { describe, expect, it } from "vitest";
import { readAhead } from "../../runtime/weights/read-ahead.ts";

describe("readAhead", () => {
  it("gives results in order, with one more under way than is worked on", async () => {
    const started: number[] = [];
    const seen: (readonly [number, string])[] = [];
    const read = async (item: number): Promise<string> => {
      started.push(item);
      return `result ${item}`;
    };
    for await (const pair of readAhead([1, 2, 3], read)) {
      seen.push(pair);
      expect(started.length).toBe(Math.min(3, seen.length + 1));
    }
    expect(seen).toEqual([
      [1, "result 1"],
      [2, "result 2"],
      [3, "result 3"],
    ]);
  });

  it("throws the error of a read in order", async () => {
    const reads = readAhead([1, 2, 3], async (item) => {
      if (item === 2) throw new Error("damaged");
      return item;
    });
    expect((await reads.next()).value).toEqual([1, 1]);
    await expect(reads.next()).rejects.toThrow("damaged");
  });

  it("waits for the read under way when its user stops", async () => {
    let finished = 0;
    for await (const [item] of readAhead([1, 2, 3], async (each) => {
      await Promise.resolve();
      finished++;
      return each;
    }))
      if (item === 1) break;
    expect(finished).toBe(2);
  });

  it("ends with its signal's reason", async () => {
    const abort = new AbortController();
    const reason = new Error("enough");
    const reads = readAhead([1, 2], async (item) => item, abort.signal);
    await reads.next();
    abort.abort(reason);
    await expect(reads.next()).rejects.toBe(reason);
  });

  it("gives nothing for nothing", async () => {
    expect((await readAhead([], async (item) => item).next()).done).toBe(true);
  });
});
