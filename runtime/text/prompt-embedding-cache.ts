import type { GpuMemory, MemoryScope } from "../gpu/memory.ts";
import type { ChunkedMatrix } from "../gpu/tensor.ts";
import type { TextEncoder, TokenSequence } from "./encoder.ts";

/** Prompts whose embeddings are cached: the last few that a person goes back and forth between. */
export const CACHED_PROMPTS = 8;

interface Entry {
  readonly scope: MemoryScope;
  readonly embeddings: ChunkedMatrix;
}

/** Embeddings of the last prompts, so that the same prompt is encoded once. */
export class PromptEmbeddingCache {
  readonly #memory: Pick<GpuMemory, "scope">;
  readonly #encoder: Pick<TextEncoder, "encode">;
  /** In order of use: the first is the least recent. */
  readonly #entries = new Map<string, Entry>();

  constructor(memory: Pick<GpuMemory, "scope">, encoder: Pick<TextEncoder, "encode">) {
    this.#memory = memory;
    this.#encoder = encoder;
  }

  /** Whether the embeddings are cached, so that `get` needs no encoder. */
  has(tokens: TokenSequence): boolean {
    return this.#entries.has(keyOf(tokens));
  }

  /**
   * Embeddings [length, layers · hidden] f32 of a token sequence, from the cache or computed. They stay valid while seven other
   * sequences are asked for.
   */
  async get(
    tokens: TokenSequence,
    signal?: AbortSignal,
  ): Promise<{ readonly embeddings: ChunkedMatrix; readonly reused: boolean }> {
    const key = keyOf(tokens);
    const cached = this.#entries.get(key);
    if (cached) {
      this.#entries.delete(key);
      this.#entries.set(key, cached);
      return { embeddings: cached.embeddings, reused: true };
    }
    const scope = this.#memory.scope("textEncoder");
    try {
      const embeddings = await this.#encoder.encode(scope, tokens, signal);
      this.#entries.set(key, { scope, embeddings });
    } catch (error) {
      scope.dispose();
      throw error;
    }
    this.#trim();
    return { embeddings: this.#entries.get(key)!.embeddings, reused: false };
  }

  /** Frees everything: for embeddings that may be wrong. */
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
