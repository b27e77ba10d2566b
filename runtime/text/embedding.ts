import { KleinbildError } from "../errors.ts";
import type { TensorStore } from "../weights/tensor-store.ts";

/** Tables up to this size are read whole; of larger ones only the rows of a prompt are read. */
const RESIDENT_BYTES = 16 << 20;
/** Rows read at once. A prompt has a hundred different tokens; one after the other, each would wait for a server. */
const PARALLEL_READS = 16;
const NAME = "model.embed_tokens.weight";

/** The token embedding [vocab, hidden], which stays with the file: a prompt needs a few hundred of its rows. */
export class EmbeddingTable {
  readonly #store: Pick<TensorStore, "readAll" | "readRows">;
  readonly #vocab: number;
  readonly #hidden: number;
  #resident: Float32Array | undefined;

  /** @throws KleinbildError `invalid-model` when the table is missing or has another shape */
  constructor(store: Pick<TensorStore, "expectShape" | "readAll" | "readRows">, vocab: number, hidden: number) {
    store.expectShape(NAME, [vocab, hidden]);
    this.#store = store;
    this.#vocab = vocab;
    this.#hidden = hidden;
  }

  /** Rows of the ids, [ids, hidden]. @throws KleinbildError `invalid-model` for an id beyond the table. */
  async lookUp(ids: Int32Array, signal?: AbortSignal): Promise<Float32Array<ArrayBuffer>> {
    for (const id of ids)
      if (id < 0 || id >= this.#vocab)
        throw new KleinbildError(
          "invalid-model",
          `The tokenizer gives token ${id}, beyond the ${this.#vocab} rows of the text encoder's embedding.`,
          { token: id, rows: this.#vocab },
        );
    const rowOf = await this.#read([...new Set(ids)], signal);
    const rows = new Float32Array(ids.length * this.#hidden);
    for (const [i, id] of ids.entries()) rows.set(rowOf(id), i * this.#hidden);
    return rows;
  }

  async #read(ids: readonly number[], signal?: AbortSignal): Promise<(id: number) => Float32Array> {
    if (this.#vocab * this.#hidden * Float32Array.BYTES_PER_ELEMENT <= RESIDENT_BYTES) {
      const table = (this.#resident ??= await this.#store.readAll(NAME, signal));
      return (id) => table.subarray(id * this.#hidden, (id + 1) * this.#hidden);
    }
    const rows = new Map<number, Float32Array>();
    for (let i = 0; i < ids.length; i += PARALLEL_READS) {
      const some = ids.slice(i, i + PARALLEL_READS);
      const read = await Promise.all(some.map((id) => this.#store.readRows(NAME, id, 1, signal)));
      for (const [j, id] of some.entries()) rows.set(id, read[j]!);
    }
    return (id) => rows.get(id)!;
  }
}
