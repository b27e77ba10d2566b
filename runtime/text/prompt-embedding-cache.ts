import type { GpuMemory, MemoryScope } from "../gpu/memory.ts";
import type { ChunkedMatrix } from "../gpu/tensor.ts";
import type { TextEncoder, TokenSequence } from "./encoder.ts";

/** Prompts whose states are kept: the last few that a person goes back and forth between. */
export const CACHED_PROMPTS = 8;

interface Entry {
  readonly scope: MemoryScope;
  readonly states: ChunkedMatrix;
}

/** Text states of the last prompts, so that the same prompt is encoded once. */
export class PromptEmbeddingCache {
  readonly #memory: Pick<GpuMemory, "scope">;
  readonly #encoder: Pick<TextEncoder, "encode">;
  /** In order of use: the first is the least recent. */
  readonly #entries = new Map<string, Entry>();

  constructor(memory: Pick<GpuMemory, "scope">, encoder: Pick<TextEncoder, "encode">) {
    this.#memory = memory;
    this.#encoder = encoder;
  }

  /** Whether the states are kept, so that `get` needs no encoder. */
  has(tokens: TokenSequence): boolean {
    return this.#entries.has(keyOf(tokens));
  }

  /** Stacked states [length, states · hidden] f32 of a token sequence; they stay valid while seven others are asked for. */
  async get(
    tokens: TokenSequence,
    signal?: AbortSignal,
  ): Promise<{ readonly states: ChunkedMatrix; readonly reused: boolean }> {
    const key = keyOf(tokens);
    const kept = this.#entries.get(key);
    if (kept) {
      this.#entries.delete(key);
      this.#entries.set(key, kept);
      return { states: kept.states, reused: true };
    }
    const scope = this.#memory.scope("textEncoder");
    try {
      const states = await this.#encoder.encode(scope, tokens, signal);
      this.#entries.set(key, { scope, states });
    } catch (error) {
      scope.dispose();
      throw error;
    }
    this.#trim();
    return { states: this.#entries.get(key)!.states, reused: false };
  }

  /** Frees everything, when what was computed may be wrong, or memory is short. */
  clear(): void {
    for (const { scope } of this.#entries.values()) scope.dispose();
    this.#entries.clear();
  }

  dispose(): void {
    this.clear();
  }

  #trim(): void {
    for (const [key, { scope }] of this.#entries) {
      if (this.#entries.size <= CACHED_PROMPTS) return;
      this.#entries.delete(key);
      scope.dispose();
    }
  }
}

const keyOf = ({ ids, mask }: TokenSequence): string => `${ids.join()} ${mask.join()}`;
