import { KleinbildError } from "../../errors.ts";

/** The two parsed files of a tokenizer. */
export interface TokenizerFiles {
  /** `tokenizer.json` of Hugging Face's tokenizers library. */
  readonly json: unknown;
  /** `tokenizer_config.json`. Only its `pad_token` is used. */
  readonly config: unknown;
}

/** Types of special tokens in a GGUF file. Source: llama.cpp, `llama_token_type`. */
const CONTROL = 3;
const USER_DEFINED = 4;
/** Pads the vocabulary to the number of rows of the embedding. */
const UNUSED = 5;

/** The token that klein pads prompts with, even if a file names another one. */
export const PAD_TOKEN = "<|endoftext|>";

/** Qwen's split of a text before byte pairs are merged: words, single digits, punctuation, line breaks and spaces. */
const QWEN2_PIECES =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

/** The tokenizer in the header of a GGUF file. */
export interface GgufVocabulary {
  /** `tokenizer.ggml.model` and `tokenizer.ggml.pre` */
  readonly model: unknown;
  readonly pre: unknown;
  /** Tokens by id. Ordinary tokens are written in the byte-level alphabet. */
  readonly tokens: readonly unknown[];
  readonly types: readonly unknown[];
  /** Pairs of tokens with a space between them. */
  readonly merges: readonly unknown[];
}

/** Converts the tokenizer of a Qwen GGUF file. @throws KleinbildError `invalid-model` when it is damaged or not Qwen's */
export function ggufTokenizer({ model, pre, tokens, types, merges }: GgufVocabulary, path: string): TokenizerFiles {
  const invalid = (message: string): KleinbildError =>
    new KleinbildError("invalid-model", `${path}: ${message}.`, { path });
  if (model !== "gpt2" || pre !== "qwen2")
    throw invalid(`its tokenizer is ${String(model)}, ${String(pre)}; Qwen's (gpt2, qwen2) was expected`);
  if (types.length !== tokens.length)
    throw invalid(`its tokenizer has ${tokens.length} tokens and ${types.length} types`);
  const vocab: Record<string, number> = Object.create(null) as Record<string, number>;
  const added: { id: number; content: string; special: boolean }[] = [];
  for (const [id, content] of tokens.entries()) {
    if (typeof content !== "string") throw invalid(`token ${id} is not a string`);
    const type = types[id];
    if (type === CONTROL || type === USER_DEFINED) added.push({ id, content, special: type === CONTROL });
    else if (type !== UNUSED) vocab[content] = id;
  }
  const pairs = merges.map((merge, i) => {
    const pair = typeof merge === "string" ? merge.split(" ") : [];
    if (pair.length !== 2) throw invalid(`merge ${i} of its tokenizer is not a pair of tokens`);
    return pair;
  });
  return { json: tokenizerJson(vocab, pairs, added), config: { pad_token: PAD_TOKEN } };
}

function tokenizerJson(
  vocab: Readonly<Record<string, number>>,
  merges: readonly (readonly string[])[],
  added: readonly { readonly id: number; readonly content: string; readonly special: boolean }[],
): unknown {
  const plain = { single_word: false, lstrip: false, rstrip: false, normalized: false };
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: added.map((token) => ({ ...token, ...plain })),
    normalizer: { type: "NFC" },
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        { type: "Split", pattern: { Regex: QWEN2_PIECES }, behavior: "Isolated", invert: false },
        { type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: false },
      ],
    },
    post_processor: null,
    decoder: { type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: false },
    model: { type: "BPE", dropout: null, unk_token: null, fuse_unk: false, byte_fallback: false, vocab, merges },
  };
}
