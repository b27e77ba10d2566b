import { Tokenizer } from "@huggingface/tokenizers";
import { KleinbildError } from "../errors.ts";

/** The tokens of a prompt, for the text encoder. */
export interface EncodedPrompt {
  /** [length], padded on the right. */
  readonly ids: Int32Array;
  /** [length]: 1 for tokens of the prompt, 0 for padding. */
  readonly mask: Int32Array;
  /** Tokens of prompt and template together, before the cut. */
  readonly tokens: number;
  /** Whether `tokens` exceeded `length`. Then the end of the template is cut too. */
  readonly truncated: boolean;
}

/** Byte-level BPE of Qwen3 with the chat template that klein was trained on. */
export class PromptTokenizer {
  readonly #tokenizer: Tokenizer;
  readonly #padId: number;

  private constructor(tokenizer: Tokenizer, padId: number) {
    this.#tokenizer = tokenizer;
    this.#padId = padId;
  }

  /**
   * @param tokenizerJson   parsed `tokenizer/tokenizer.json`
   * @param tokenizerConfig parsed `tokenizer/tokenizer_config.json`; its `pad_token` is needed
   * @throws KleinbildError `invalid-model` when one of them is malformed
   */
  static create(tokenizerJson: unknown, tokenizerConfig: unknown): PromptTokenizer {
    const padToken = readPadToken(tokenizerConfig);
    const tokenizer = buildTokenizer(tokenizerJson, tokenizerConfig);
    const padId = tokenizer.token_to_id(padToken);
    if (padId === undefined)
      throw new KleinbildError(
        "invalid-model",
        `The pad_token ${JSON.stringify(padToken)} of tokenizer_config.json is not in the vocabulary of ` +
          "tokenizer.json. Take both files from the same model.",
        { token: padToken },
      );
    return new PromptTokenizer(tokenizer, padId);
  }

  /**
   * The prompt as the only user turn of a chat, without thinking, cut or padded to `length` tokens. Special tokens
   * written in the prompt are parsed as such, as the reference tokenizer does.
   */
  encode(prompt: string, length: number): EncodedPrompt {
    const text = `<|im_start|>user\n${prompt}<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n`;
    const found = this.#tokenizer.encode(text, { add_special_tokens: false }).ids;
    const used = Math.min(found.length, length);
    const ids = new Int32Array(length).fill(this.#padId);
    ids.set(found.slice(0, used));
    const mask = new Int32Array(length).fill(1, 0, used);
    return { ids, mask, tokens: found.length, truncated: found.length > length };
  }
}

/** `pad_token` is a string, or an object of an added token with its `content`. */
function readPadToken(config: unknown): string {
  const entry = isRecord(config) ? config["pad_token"] : undefined;
  const token = isRecord(entry) ? entry["content"] : entry;
  if (typeof token !== "string")
    throw new KleinbildError(
      "invalid-model",
      "tokenizer_config.json has no pad_token; a string, or an object with a string as content, was expected.",
    );
  return token;
}

function buildTokenizer(tokenizerJson: unknown, tokenizerConfig: unknown): Tokenizer {
  try {
    return new Tokenizer(tokenizerJson as object, tokenizerConfig as object);
  } catch (cause) {
    throw new KleinbildError(
      "invalid-model",
      "tokenizer.json cannot be read as a tokenizer; the file that the Hugging Face tokenizers library writes, with a " +
        "BPE model in it, was expected.",
      {},
      { cause },
    );
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
