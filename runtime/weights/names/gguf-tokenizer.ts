import { KleinbildError } from "../../errors.ts";

/** The two files of a tokenizer, parsed. */
export interface TokenizerFiles {
  /** As `tokenizer.json` of the tokenizers library. */
  readonly json: unknown;
  /** As `tokenizer_config.json`: its `pad_token` is read. */
  readonly config: unknown;
}

/** Kinds of tokens in a GGUF file that are no ordinary ones; llama.cpp's `llama_token_type`. */
const CONTROL = 3;
const USER_DEFINED = 4;
/** Fills the vocabulary up to the rows of the embedding. */
const UNUSED = 5;

/** What klein pads with, whatever the file would. */
export const PAD_TOKEN = "<|endoftext|>";

/** Words, digits one by one, punctuation, line breaks and spaces: what Qwen cuts a text into before byte pairs are joined. */
const QWEN2_PIECES =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

/** What a GGUF file's header says of its tokenizer. */
export interface GgufVocabulary {
  /** `tokenizer.ggml.model` and `tokenizer.ggml.pre` */
  readonly model: unknown;
  readonly pre: unknown;
  /** By id; ordinary ones in the alphabet of bytes. */
  readonly tokens: readonly unknown[];
  readonly types: readonly unknown[];
  /** Two tokens with a space between them. */
  readonly merges: readonly unknown[];
}

/** The tokenizer of a Qwen encoder from its GGUF file. @throws KleinbildError `invalid-model` when it is another one, or damaged */
export function ggufTokenizer({ model, pre, tokens, types, merges }: GgufVocabulary, path: string): TokenizerFiles {
  const invalid = (message: string): KleinbildError =>
    new KleinbildError("invalid-model", `${path}: ${message}.`, { path });
  if (model !== "gpt2" || pre !== "qwen2")
    throw invalid(`its tokenizer is ${String(model)}, ${String(pre)}; that of Qwen, gpt2, qwen2, was expected`);
  if (types.length !== tokens.length)
    throw invalid(`its tokenizer has ${tokens.length} tokens and the types of ${types.length}`);
  const vocab: Record<string, number> = Object.create(null) as Record<string, number>;
  const added: { id: number; content: string; special: boolean }[] = [];
  for (const [id, content] of tokens.entries()) {
    if (typeof content !== "string") throw invalid(`token ${id} is no text`);
    const type = types[id];
    if (type === CONTROL || type === USER_DEFINED) added.push({ id, content, special: type === CONTROL });
    else if (type !== UNUSED) vocab[content] = id;
  }
  const pairs = merges.map((merge, i) => {
    const pair = typeof merge === "string" ? merge.split(" ") : [];
    if (pair.length !== 2) throw invalid(`merge ${i} of its tokenizer is not two tokens`);
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
