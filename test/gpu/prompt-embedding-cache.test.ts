import { afterEach, describe, expect, it } from "vitest";
import type { MemoryScope } from "../../runtime/gpu/memory.ts";
import { readMatrix, writeMatrix } from "../../runtime/gpu/chunked-matrix.ts";
import type { ChunkedMatrix } from "../../runtime/gpu/tensor.ts";
import type { TokenSequence } from "../../runtime/text/encoder.ts";
import { PromptEmbeddingCache } from "../../runtime/text/prompt-embedding-cache.ts";
import { useGpu } from "../support/gpu.ts";

const KEPT_PROMPTS = 8;
const WIDTH = 4;
const LENGTH = 3;
const STATES_BYTES = LENGTH * WIDTH * 4;

/** A prompt of one token, padded. */
function prompt(id: number): TokenSequence {
  return { ids: Int32Array.of(id, 0, 0), mask: Int32Array.of(1, 0, 0) };
}

describe("TextStates", () => {
  const gpu = useGpu();
  const kept: PromptEmbeddingCache[] = [];
  afterEach(() => {
    for (const states of kept.splice(0)) states.dispose();
    if (bytesOnGpu() > 0) throw new Error(`${bytesOnGpu()} bytes that no entry holds were not freed`);
  });

  const bytesOnGpu = (): number => gpu().memory.report().byCategory.textEncoder?.currentBytes ?? 0;

  /** Text states whose encoder gives the prompt's first id in every place, and notes what it encoded. */
  function textStates(fail: (id: number) => Error | undefined = () => undefined): {
    readonly states: PromptEmbeddingCache;
    readonly encoded: number[];
  } {
    const encoded: number[] = [];
    const encode = async (scope: MemoryScope, { ids }: TokenSequence, signal?: AbortSignal): Promise<ChunkedMatrix> => {
      const rows = scope.matrix("text states", "f32", LENGTH, WIDTH, 2);
      scope.tensor("scratch", "f32", [LENGTH, WIDTH]);
      const [id] = ids;
      signal?.throwIfAborted();
      const failure = fail(id!);
      if (failure) throw failure;
      encoded.push(id!);
      writeMatrix(gpu().recorder, rows, new Float32Array(LENGTH * WIDTH).fill(id!));
      return rows;
    };
    const states = new PromptEmbeddingCache(gpu().memory, { encode });
    kept.push(states);
    return { states, encoded };
  }
  /** Bytes of so many prompts: their states and the scratch tensor of each. */
  const bytesOf = (prompts: number): number => prompts * 2 * STATES_BYTES;
  const fill = async (states: PromptEmbeddingCache, first: number, count: number): Promise<void> => {
    for (let id = first; id < first + count; id++) await states.get(prompt(id));
  };

  it("encodes a prompt once and says when its states are reused", async () => {
    const { states, encoded } = textStates();
    const first = await states.get(prompt(1));
    const second = await states.get(prompt(1));
    expect([first.reused, second.reused]).toEqual([false, true]);
    expect(second.embeddings).toBe(first.embeddings);
    expect(encoded).toEqual([1]);
    expect(bytesOnGpu()).toBe(bytesOf(1));
  });

  it("distinguishes prompts by their ids and by their masks", async () => {
    const { states, encoded } = textStates();
    for (const [ids, mask] of [
      [
        [1, 2, 3],
        [1, 1, 1],
      ],
      [
        [1, 2, 3],
        [1, 1, 0],
      ],
      [
        [1, 23, 0],
        [1, 1, 0],
      ],
      [
        [12, 3, 0],
        [1, 1, 0],
      ],
      [
        [1, 2, 3, 1],
        [1, 1],
      ],
    ] as const)
      expect(await states.get({ ids: Int32Array.from(ids), mask: Int32Array.from(mask) })).toMatchObject({
        reused: false,
      });
    expect(encoded).toHaveLength(5);
  });

  it("keeps eight prompts, whose states stay as they are", async () => {
    const { states, encoded } = textStates();
    const { embeddings: first } = await states.get(prompt(1));
    await fill(states, 2, KEPT_PROMPTS - 1);
    expect(bytesOnGpu()).toBe(bytesOf(KEPT_PROMPTS));
    await gpu().checked("text states", async () =>
      expect([...(await readMatrix(gpu().recorder, first))]).toEqual(Array<number>(LENGTH * WIDTH).fill(1)),
    );
    expect((await states.get(prompt(1))).reused).toBe(true);
    expect(encoded).toHaveLength(KEPT_PROMPTS);
  });

  it("frees the least recent of nine", async () => {
    const { states, encoded } = textStates();
    await fill(states, 1, KEPT_PROMPTS + 1);
    expect(bytesOnGpu()).toBe(bytesOf(KEPT_PROMPTS));
    for (let id = KEPT_PROMPTS + 1; id > 1; id--) expect((await states.get(prompt(id))).reused).toBe(true);
    expect((await states.get(prompt(1))).reused).toBe(false);
    expect(encoded).toHaveLength(KEPT_PROMPTS + 2);
  });

  it("counts a prompt that is asked for again as recent", async () => {
    const { states } = textStates();
    await fill(states, 1, KEPT_PROMPTS);
    await states.get(prompt(1));
    await states.get(prompt(100));
    expect((await states.get(prompt(1))).reused).toBe(true);
    expect((await states.get(prompt(2))).reused).toBe(false);
  });

  it("frees what a failed encoding took, keeps the others, and encodes the prompt when asked again", async () => {
    const failure = new Error("out of paper");
    let failing = true;
    const { states, encoded } = textStates((id) => (failing && id === 2 ? failure : undefined));
    await states.get(prompt(1));
    await expect(states.get(prompt(2))).rejects.toBe(failure);
    expect(bytesOnGpu()).toBe(bytesOf(1));
    failing = false;
    expect((await states.get(prompt(1))).reused).toBe(true);
    expect((await states.get(prompt(2))).reused).toBe(false);
    expect(encoded).toEqual([1, 2]);
  });

  it("drops no prompt for one that fails", async () => {
    const { states } = textStates((id) => (id === 100 ? new Error("out of paper") : undefined));
    await fill(states, 1, KEPT_PROMPTS);
    await expect(states.get(prompt(100))).rejects.toThrow("out of paper");
    expect((await states.get(prompt(1))).reused).toBe(true);
    expect(bytesOnGpu()).toBe(bytesOf(KEPT_PROMPTS));
  });

  it("frees what an aborted encoding took and throws the abort's reason; what is kept needs no encoding", async () => {
    const { states } = textStates();
    await states.get(prompt(1));
    const reason = new Error("stopped");
    await expect(states.get(prompt(2), AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(bytesOnGpu()).toBe(bytesOf(1));
    expect((await states.get(prompt(1), AbortSignal.abort(reason))).reused).toBe(true);
  });

  it("frees everything when disposed of, also twice", async () => {
    const { states } = textStates();
    await fill(states, 1, 3);
    states.dispose();
    expect(bytesOnGpu()).toBe(0);
    states.dispose();
    expect(bytesOnGpu()).toBe(0);
  });
});
