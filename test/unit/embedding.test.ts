import { describe, expect, it } from "vitest";
import { EmbeddingTable } from "../../runtime/text/embedding.ts";
import { MemorySource, safetensorsFile } from "../support/model-files.ts";
import { openPartFolder } from "../support/part-folder.ts";

const NAME = "model.embed_tokens.weight";

/** A store with a table, and the recorded reads of its rows. */
async function storeOf(vocab: number, hidden: number) {
  const data = new Float32Array(vocab * hidden);
  for (let i = 0; i < data.length; i++) data[i] = i % 65_521;
  const file = safetensorsFile({ [NAME]: { dtype: "F32", shape: [vocab, hidden], data } });
  const store = await openPartFolder(new MemorySource({ "text/model.safetensors": file }), "text");
  const reads: string[] = [];
  const readRows = store.readRows.bind(store);
  store.readRows = (name, first, rows, signal) => {
    reads.push(`${first}+${rows}`);
    return readRows(name, first, rows, signal);
  };
  const row = (id: number) => [...data.subarray(id * hidden, (id + 1) * hidden)];
  return { store, reads, row };
}

/** Two tables, of which the second is above the 16 MiB that are read whole. */
describe.each([
  { what: "a small table", vocab: 50, hidden: 8, resident: true },
  { what: "a table of 16 MiB", vocab: 2 ** 10, hidden: 2 ** 12, resident: true },
  { what: "a larger table", vocab: 2 ** 10 + 1, hidden: 2 ** 12, resident: false },
])("EmbeddingTable of $what", ({ vocab, hidden, resident }) => {
  it("gives the rows of the ids, in their order, repeated ones too", async () => {
    const { store, row } = await storeOf(vocab, hidden);
    const ids = [vocab - 1, 0, 7, 7, 0, 3];
    const rows = await new EmbeddingTable(store, vocab, hidden).lookUp(Int32Array.from(ids));
    expect(rows).toEqual(Float32Array.from(ids.flatMap(row)));
  });

  it(`is read ${resident ? "whole, once" : "by rows, each different one once a prompt"}`, async () => {
    const { store, reads } = await storeOf(vocab, hidden);
    const table = new EmbeddingTable(store, vocab, hidden);
    await table.lookUp(Int32Array.of(5, 6, 5, 5));
    await table.lookUp(Int32Array.of(6));
    expect(reads).toEqual(resident ? [`0+${vocab}`] : ["5+1", "6+1", "6+1"]);
  });

  it("refuses ids beyond the table and below it, before it reads", async () => {
    const { store, reads } = await storeOf(vocab, hidden);
    const table = new EmbeddingTable(store, vocab, hidden);
    for (const id of [vocab, vocab + 100, -1])
      await expect(table.lookUp(Int32Array.of(0, id))).rejects.toMatchObject({
        code: "invalid-model",
        message: `The tokenizer gives token ${id}, beyond the ${vocab} rows of the text encoder's embedding.`,
        details: { token: id, rows: vocab },
      });
    expect(reads).toEqual([]);
  });

  it("rejects with the reason of its signal, and reads the next time", async () => {
    const { store, row } = await storeOf(vocab, hidden);
    const table = new EmbeddingTable(store, vocab, hidden);
    const reason = new Error("enough");
    await expect(table.lookUp(Int32Array.of(1, 2), AbortSignal.abort(reason))).rejects.toBe(reason);
    expect([...(await table.lookUp(Int32Array.of(1)))]).toEqual(row(1));
  });
});

describe("EmbeddingTable", () => {
  it("refuses a table of another shape than the config says", async () => {
    const { store } = await storeOf(50, 8);
    for (const [vocab, hidden] of [
      [51, 8],
      [50, 4],
    ] as const)
      expect(() => new EmbeddingTable(store, vocab, hidden)).toThrowError(
        expect.objectContaining({
          code: "invalid-model",
          message: `text: ${NAME} is [50, 8]; the config requires [${vocab}, ${hidden}].`,
        }),
      );
  });

  it("reads at most 16 rows at once, and all of them for a prompt of 40 tokens", async () => {
    const [vocab, hidden] = [2 ** 10 + 1, 2 ** 12];
    const { store, row } = await storeOf(vocab, hidden);
    let [now, most] = [0, 0];
    const readRows = store.readRows.bind(store);
    store.readRows = async (...range) => {
      most = Math.max(most, ++now);
      const rows = await readRows(...range);
      now--;
      return rows;
    };
    const ids = Int32Array.from({ length: 40 }, (_, i) => 3 * i);
    const rows = await new EmbeddingTable(store, vocab, hidden).lookUp(ids);
    expect(most).toBe(16);
    expect([...rows.subarray(39 * hidden)]).toEqual(row(117));
  });
});
