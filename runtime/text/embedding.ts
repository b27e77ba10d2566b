import { KleinbildError } from "../errors.ts";
import type { TensorStore } from "../weights/tensor-store.ts";

/** Tables up to this size are read whole; of larger ones only the rows of a prompt are read. */
const RESIDENT_BYTES = 16 << 20;
const NAME = "model.embed_tokens.weight";

/** The token embedding [vocab, hidden], which stays with the file: a prompt needs a few hundred of its rows. */
export class EmbeddingTable {
  readonly #store: TensorStore;
  readonly #vocab: number;
  readonly #hidden: number;
  #resident: Float32Array | undefined;

  constructor(store: TensorStore, vocab: number, hidden: number) {
    store.expectShape(NAME, [vocab, hidden]);
    this.#store = store;
    this.#vocab = vocab;
    this.#hidden = hidden;
  }

  /** Rows of the ids, [ids, hidden]. @throws KleinbildError `invalid-model` for an id beyond the table. */
  async lookUp(ids: Int32Array, signal?: AbortSignal): Promise<Float32Array<ArrayBuffer>> {
    if (this.#vocab * this.#hidden * 4 <= RESIDENT_BYTES) this.#resident ??= await this.#store.readAll(NAME, signal);
    const rows = new Float32Array(ids.length * this.#hidden);
    const read = new Map<number, Float32Array>();
    for (const [i, id] of ids.entries()) {
      if (id >= this.#vocab)
        throw new KleinbildError(
          "invalid-model",
          `Token ${id} is beyond the ${this.#vocab} rows of the text encoder's embedding.`,
          {
            token: id,
            rows: this.#vocab,
          },
        );
      const row = this.#resident?.subarray(id * this.#hidden, (id + 1) * this.#hidden) ?? read.get(id);
      const values = row ?? (await this.#store.readRows(NAME, id, 1, signal));
      read.set(id, values);
      rows.set(values, i * this.#hidden);
    }
    return rows;
  }
}
