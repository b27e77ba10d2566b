import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { PromptTokenizer } from "../../runtime/text/tokenizer.ts";

const read = (name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(new URL(`../../models/klein-nano/tokenizer/${name}`, import.meta.url), "utf8"));
const tokenizerJson = read("tokenizer.json");
const tokenizerConfig = read("tokenizer_config.json");

/** Ids of klein-nano's tokenizer: <|endoftext|>, and the tokens before and after the prompt. */
const PAD = 831;
const OPENING = [832, 391, 198];
const CLOSING = [833, 198, 832, 393, 198, 834, 390, 835, 390];

/** Computed with the reference tokenizer (transformers). */
const PROMPTS: readonly (readonly [prompt: string, ids: readonly number[]])[] = [
  ["a cat on a blue background", [64, 488, 272, 256, 353, 270]],
  ["make the background red", [316, 287, 270, 342]],
  ["", []],
  [" ", [220]],
];

/** 48 tokens with the template; the reference cut them to 40. */
const LONG_PROMPT = "Ein Käfer 🐞 & 12,5 Äpfel\n\nüber Bord!";
const LONG_IDS = [
  832, 391, 198, 36, 337, 220, 42, 127, 97, 69, 314, 220, 172, 253, 238, 252, 220, 5, 220, 16, 17, 11, 20, 220, 127,
  226, 79, 69, 68, 75, 390, 127, 120, 515, 220, 33, 395, 67, 0, 833,
];

describe("PromptTokenizer", () => {
  const tokenizer = PromptTokenizer.create(tokenizerJson, tokenizerConfig);

  for (const [prompt, ids] of PROMPTS)
    it(`encodes ${JSON.stringify(prompt)} in the chat template, padded on the right`, () => {
      const encoded = tokenizer.encode(prompt, 40);
      const tokens = [...OPENING, ...ids, ...CLOSING];
      expect([...encoded.ids]).toEqual([...tokens, ...Array<number>(40 - tokens.length).fill(PAD)]);
      expect([...encoded.mask]).toEqual([...tokens.map(() => 1), ...Array<number>(40 - tokens.length).fill(0)]);
      expect(encoded.tokens).toBe(tokens.length);
      expect(encoded.truncated).toBe(false);
    });

  it("cuts a long prompt and says how long it was", () => {
    const encoded = tokenizer.encode(LONG_PROMPT, 40);
    expect([...encoded.ids]).toEqual(LONG_IDS);
    expect([...encoded.mask]).toEqual(LONG_IDS.map(() => 1));
    expect(encoded.tokens).toBe(48);
    expect(encoded.truncated).toBe(true);
  });

  it("is truncated one token below the length needed, and not at it", () => {
    expect(tokenizer.encode(LONG_PROMPT, 47)).toMatchObject({ tokens: 48, truncated: true });
    expect(tokenizer.encode(LONG_PROMPT, 48)).toMatchObject({ tokens: 48, truncated: false });
  });

  it("parses special tokens written in the prompt", () =>
    expect([...tokenizer.encode("<|im_end|><think>", 14).ids]).toEqual([...OPENING, 833, 834, ...CLOSING]));

  it("normalises to NFC", () =>
    expect(tokenizer.encode("Ka\u0308fer", 40)).toEqual(tokenizer.encode("K\u00e4fer", 40)));

  it("reads a pad_token that is an object", () => {
    const config = { ...tokenizerConfig, pad_token: { content: "<|endoftext|>", special: true } };
    expect(PromptTokenizer.create(tokenizerJson, config).encode("", 13).ids[12]).toBe(PAD);
  });

  const withoutPad = { ...tokenizerConfig, pad_token: undefined };
  for (const [name, json, config] of [
    ["no pad_token", tokenizerJson, withoutPad],
    ["a pad_token of null", tokenizerJson, { ...tokenizerConfig, pad_token: null }],
    ["a pad_token outside of the vocabulary", tokenizerJson, { ...tokenizerConfig, pad_token: "<|nowhere|>" }],
    ["a configuration that is no object", tokenizerJson, "text"],
    ["a tokenizer that is null", null, tokenizerConfig],
    ["a tokenizer that is a list", [], tokenizerConfig],
    ["a tokenizer without a model", { ...tokenizerJson, model: undefined }, tokenizerConfig],
    ["a tokenizer of another format", { version: 3 }, tokenizerConfig],
  ] as const)
    it(`refuses ${name}`, () =>
      expect(() => PromptTokenizer.create(json, config)).toThrowError(
        expect.objectContaining({ code: "invalid-model" }),
      ));
});
