import type { HeadMajor } from "../backend/attention.ts";
import type { GpuMemory } from "../gpu/memory.ts";
import { tensorBytes } from "../gpu/tensor.ts";

/** Keys (normed and rotated) and values of all references, block by block: doubles first, then singles. */
export interface ReferenceKeysValues {
  readonly tokens: number;
  readonly blocks: readonly HeadMajor[];
}

/** State of the cache of reference keys and values, counted since the model was loaded. */
export interface ReferenceCacheStatistics {
  /** Requests whose references were cached. */
  readonly hits: number;
  /** Requests whose references had to be computed. */
  readonly misses: number;
  /** Entries that were dropped to make room. */
  readonly evictions: number;
  /** Entries that are cached now. Each is for one list of references. */
  readonly entries: number;
  /** GPU bytes of the entries. */
  readonly bytes: number;
  /** Most bytes that stay after a run: the engine's `referenceCacheBytes`. */
  readonly budgetBytes: number;
}

type Freeing = Pick<GpuMemory, "freeTensors">;

/**
 * Reference keys and values that outlive a request. The key covers everything that they depend on: the ordered pixels and sizes,
 * and the weights. A cache belongs to one loaded model and is freed with it. Beyond the byte budget, the least recently used
 * entry is dropped.
 */
export class ReferenceCache {
  readonly #memory: Freeing;
  readonly #budgetBytes: number;
  /** In order of use: the first is the least recent. */
  readonly #entries = new Map<string, { readonly value: ReferenceKeysValues; readonly bytes: number }>();
  #bytes = 0;
  #hits = 0;
  #misses = 0;
  #evictions = 0;

  constructor(memory: Freeing, budgetBytes: number) {
    this.#memory = memory;
    this.#budgetBytes = budgetBytes;
  }

  get statistics(): ReferenceCacheStatistics {
    return {
      hits: this.#hits,
      misses: this.#misses,
      evictions: this.#evictions,
      entries: this.#entries.size,
      bytes: this.#bytes,
      budgetBytes: this.#budgetBytes,
    };
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  get(key: string): ReferenceKeysValues | undefined {
    const entry = this.#entries.get(key);
    if (!entry) {
      this.#misses++;
      return undefined;
    }
    this.#hits++;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  /**
   * Takes ownership of `value`. The next `trim` drops what exceeds the budget, so a run may use an entry that is larger than the
   * whole budget.
   */
  put(key: string, value: ReferenceKeysValues): void {
    this.#drop(key);
    const bytes = keysValuesBytes(value);
    this.#entries.set(key, { value, bytes });
    this.#bytes += bytes;
  }

  /**
   * Drops entries until the budget holds: first those that can never fit, then the least recently used ones. Call it when no run
   * uses an entry.
   */
  trim(): void {
    const keys = [...this.#entries.keys()];
    const tooLarge = keys.filter((key) => this.#entries.get(key)!.bytes > this.#budgetBytes);
    for (const key of new Set([...tooLarge, ...keys])) {
      if (this.#bytes <= this.#budgetBytes) return;
      this.#drop(key);
      this.#evictions++;
    }
  }

  /** Drops every other entry, to free memory. Call it when no run uses an entry. */
  keepOnly(keys: ReadonlySet<string>): void {
    for (const key of [...this.#entries.keys()].filter((entry) => !keys.has(entry))) {
      this.#drop(key);
      this.#evictions++;
    }
  }

  /** Drops everything; no eviction. */
  clear(): void {
    for (const key of [...this.#entries.keys()]) this.#drop(key);
  }

  #drop(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
    freeKeysValues(this.#memory, entry.value);
  }
}

export function freeKeysValues(memory: Freeing, value: ReferenceKeysValues): void {
  for (const { groups } of value.blocks) memory.freeTensors(...groups);
}

function keysValuesBytes({ blocks }: ReferenceKeysValues): number {
  return blocks.reduce(
    (sum, { groups }) => sum + groups.reduce((bytes, { dtype, shape }) => bytes + tensorBytes(dtype, shape), 0),
    0,
  );
}
