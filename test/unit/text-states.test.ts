import { describe, expect, it } from "vitest";
import type { TokenSequence } from "../../runtime/text/encoder.ts";
import { TextStates } from "../../runtime/text/text-states.ts";
import { fakeMemory } from "../support/fake-memory.ts";

const KEPT = 8;
const BYTES = 4 * 6 * 4;

/** A prompt that is told from others by its first token. */
function tokens(first: number, mask: readonly number[] = [1, 1, 1, 0]): TokenSequence {
  return { ids: Int32Array.of(first, 1, 2, 3), mask: Int32Array.from(mask) };
}

function setUp() {
  const memory = fakeMemory();
  const encoded: number[] = [];
  let failure: Error | undefined;
  const states = new TextStates(memory, {
    encode: async (target, { ids }) => {
      const rows = target.rows("text states", "f32", 4, 6, 4);
      if (failure) throw failure;
      encoded.push(ids[0]!);
      return rows;
    },
  });
  return {
    states,
    encoded,
    failWith: (error: Error | undefined) => void (failure = error),
    keptPrompts: () => (memory.report().byPart.textEncoder?.currentBytes ?? 0) / BYTES,
  };
}

describe("TextStates", () => {
  it("encodes a prompt once", async () => {
    const { states, encoded } = setUp();
    const first = await states.get(tokens(1));
    const second = await states.get(tokens(1));
    expect(first.reused).toBe(false);
    expect(second).toEqual({ states: first.states, reused: true });
    expect(encoded).toEqual([1]);
  });

  it("tells prompts apart by tokens and by mask", async () => {
    const { states } = setUp();
    await states.get(tokens(1));
    expect((await states.get(tokens(2))).reused).toBe(false);
    expect((await states.get(tokens(1, [1, 1, 1, 1]))).reused).toBe(false);
    expect((await states.get(tokens(1))).reused).toBe(true);
  });

  it(`keeps the last ${KEPT} prompts, and frees the one used longest ago`, async () => {
    const { states, encoded, keptPrompts } = setUp();
    for (let prompt = 1; prompt <= KEPT; prompt++) await states.get(tokens(prompt));
    expect(keptPrompts()).toBe(KEPT);
    await states.get(tokens(1)); // 2 is now the least recent
    await states.get(tokens(100));
    expect(keptPrompts()).toBe(KEPT);
    encoded.length = 0;
    for (const prompt of [1, 3, 4, 5, 6, 7, 8, 100]) expect((await states.get(tokens(prompt))).reused).toBe(true);
    expect((await states.get(tokens(2))).reused).toBe(false);
    expect(encoded).toEqual([2]);
  });

  it("keeps states valid while seven other prompts are asked for", async () => {
    const { states } = setUp();
    const first = (await states.get(tokens(1))).states;
    for (let prompt = 2; prompt <= KEPT; prompt++) await states.get(tokens(prompt));
    expect((await states.get(tokens(1))).states).toBe(first);
  });

  it("frees what a failed encoding took, keeps the others, and encodes anew the next time", async () => {
    const { states, failWith, keptPrompts } = setUp();
    await states.get(tokens(1));
    const failure = new Error("no");
    failWith(failure);
    await expect(states.get(tokens(2))).rejects.toBe(failure);
    expect(keptPrompts()).toBe(1);
    expect((await states.get(tokens(1))).reused).toBe(true);
    failWith(undefined);
    expect((await states.get(tokens(2))).reused).toBe(false);
    expect(keptPrompts()).toBe(2);
  });

  it("frees everything when it is cleared, and goes on", async () => {
    const { states, keptPrompts } = setUp();
    for (const prompt of [1, 2, 3]) await states.get(tokens(prompt));
    states.clear();
    states.clear();
    expect(keptPrompts()).toBe(0);
    expect((await states.get(tokens(1))).reused).toBe(false);
  });
});
