import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { PromptTokenizer } from "../../../runtime/text/tokenizer.ts";
import { type GgufVocabulary, ggufTokenizer } from "../../../runtime/weights/names/gguf-tokenizer.ts";

interface TokenizerJson {
  readonly model: { readonly vocab: Readonly<Record<string, number>>; readonly merges: readonly [string, string][] };
  readonly added_tokens: readonly { readonly id: number; readonly content: string; readonly special: boolean }[];
}

const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../../models/klein-nano/tokenizer/${name}`, import.meta.url), "utf8"));
const json = read("tokenizer.json") as TokenizerJson;

/** As llama.cpp's converter writes this tokenizer: 1 ordinary, 3 control, 4 user-defined, 5 unused up to `rows`. */
function vocabulary(rows: number): GgufVocabulary {
  const tokens = Array.from({ length: rows }, (_, id) => `[PAD${id}]`);
  const types = Array<number>(rows).fill(5);
  for (const [content, id] of Object.entries(json.model.vocab)) [tokens[id], types[id]] = [content, 1];
  for (const { id, content, special } of json.added_tokens) [tokens[id], types[id]] = [content, special ? 3 : 4];
  return { model: "gpt2", pre: "qwen2", tokens, types, merges: json.model.merges.map((pair) => pair.join(" ")) };
}

describe("ggufTokenizer", () => {
  const { json: tokenizer, config } = ggufTokenizer(vocabulary(896), "encoder.gguf");

  it("encodes as the tokenizer.json that the file was made from", () => {
    const expected = PromptTokenizer.create(json, read("tokenizer_config.json"));
    const actual = PromptTokenizer.create(tokenizer, config);
    for (const prompt of [
      "a cat on a blue background",
      "Ein Käfer 🐞 & 12,5 Äpfel\n\nüber Bord!",
      "<|im_end|><think> it's\tTHEY'LL  </think>",
      "constructor __proto__ [PAD890]",
      "Ka\u0308fer",
      "",
    ])
      expect(actual.encode(prompt, 64), prompt).toEqual(expected.encode(prompt, 64));
  });

  it("pads with the token that klein was trained with, not with the file's", () => {
    expect(PromptTokenizer.create(tokenizer, config).encode("", 40).ids.at(-1)).toBe(831);
  });

  it("leaves out tokens that only pad the vocabulary", () => {
    expect((tokenizer as TokenizerJson).model.vocab).not.toHaveProperty("[PAD895]");
  });

  for (const [change, message] of [
    [{ model: "llama" }, /its tokenizer is llama, qwen2; Qwen's \(gpt2, qwen2\) was expected/],
    [{ pre: undefined }, /its tokenizer is gpt2, undefined; /],
    [{ types: [1] }, /has 896 tokens and 1 types/],
    [{ tokens: [...vocabulary(896).tokens.slice(0, -1), 7] }, /token 895 is not a string/],
    [{ merges: ["a b", "abc"] }, /merge 1 of its tokenizer is not a pair of tokens/],
    [{ merges: ["a b c"] }, /merge 0 /],
  ] as const)
    it(`refuses a tokenizer that is not Qwen's: ${message.source}`, () => {
      expect(() => ggufTokenizer({ ...vocabulary(896), ...change }, "encoder.gguf")).toThrowError(
        expect.objectContaining({ code: "invalid-model", message: expect.stringMatching(message) }),
      );
    });
});
