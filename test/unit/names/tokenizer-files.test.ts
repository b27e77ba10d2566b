import { describe, expect, it } from "vitest";
import type { TensorFile } from "../../../runtime/weights/formats/tensor-file.ts";
import { findTokenizer } from "../../../runtime/weights/names/tokenizer-files.ts";
import { MemorySource } from "../../support/model-files.ts";

const gguf = (metadata: Readonly<Record<string, unknown>>): TensorFile => ({
  path: "encoder.gguf",
  format: "gguf",
  tensors: new Map(),
  metadata: new Map(Object.entries(metadata)),
});

const VOCABULARY = {
  "tokenizer.ggml.model": "gpt2",
  "tokenizer.ggml.pre": "qwen2",
  "tokenizer.ggml.tokens": ["a", "b", "ab", "<|endoftext|>"],
  "tokenizer.ggml.token_type": [1, 1, 1, 3],
  "tokenizer.ggml.merges": ["a b"],
};

describe("findTokenizer", () => {
  it("uses the tokenizer in the encoder's GGUF file if there is no tokenizer.json", async () => {
    const found = await findTokenizer(new MemorySource({}), [gguf({}), gguf(VOCABULARY)]);
    expect(found.files).toEqual(["encoder.gguf"]);
    expect(await found.read()).toMatchObject({
      json: {
        model: { type: "BPE", vocab: { a: 0, b: 1, ab: 2 }, merges: [["a", "b"]] },
        added_tokens: [{ id: 3, content: "<|endoftext|>", special: true }],
      },
      config: { pad_token: "<|endoftext|>" },
    });
  });

  it("prefers a tokenizer.json, diffusers' before others", async () => {
    const json = (from: string): string => JSON.stringify({ from });
    const files: Record<string, string> = {
      "tokenizer/tokenizer.json": json("tokenizer"),
      "tokenizer/tokenizer_config.json": json("config"),
      "text_encoder/tokenizer.json": json("text_encoder"),
      "tokenizer.json": json("root"),
      "tokenizer_config.json": json("root config"),
    };
    const find = async (): Promise<unknown> => {
      const found = await findTokenizer(new MemorySource(files), [gguf(VOCABULARY)]);
      return { ...(await found.read()), files: found.files };
    };
    expect(await find()).toEqual({
      json: { from: "tokenizer" },
      config: { from: "config" },
      files: ["tokenizer/tokenizer.json", "tokenizer/tokenizer_config.json"],
    });
    delete files["tokenizer/tokenizer.json"];
    expect(await find()).toMatchObject({ json: { from: "text_encoder" }, files: ["text_encoder/tokenizer.json"] });
    delete files["text_encoder/tokenizer.json"];
    expect(await find()).toMatchObject({ json: { from: "root" }, config: { from: "root config" } });
  });

  it("asks for one where the GGUF file has none, or only half of one", async () => {
    const { "tokenizer.ggml.merges": _, ...half } = VOCABULARY;
    for (const encoder of [[], [gguf({})], [gguf(half)]])
      await expect(findTokenizer(new MemorySource({}), encoder)).rejects.toMatchObject({
        code: "missing-file",
        message: expect.stringContaining("Add the tokenizer.json of Qwen3"),
      });
  });

  it("refuses another model's", async () => {
    const llama = gguf({ ...VOCABULARY, "tokenizer.ggml.model": "llama" });
    await expect(findTokenizer(new MemorySource({}), [llama])).rejects.toMatchObject({
      code: "invalid-model",
      details: { path: "encoder.gguf" },
    });
  });
});
