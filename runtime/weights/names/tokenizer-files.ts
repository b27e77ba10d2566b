import { KleinbildError } from "../../errors.ts";
import type { TensorFile } from "../formats/tensor-file.ts";
import { readJson } from "../sources/read-json.ts";
import type { ModelSource } from "../sources/model-source.ts";
import { ggufTokenizer, PAD_TOKEN, type TokenizerFiles } from "./gguf-tokenizer.ts";

/** A tokenizer, by the files that it is in. */
export interface FoundTokenizer {
  readonly files: readonly string[];
  /** Parsed, it is by far the largest thing of an open model: whoever needs it asks for it. */
  read(): Promise<TokenizerFiles>;
}

const NAME = "tokenizer.json";
/** Where it lies: diffusers' folder, that of a text encoder that was downloaded whole, or beside single files. */
const FOLDERS = ["tokenizer/", "text_encoder/", ""] as const;

/**
 * The tokenizer of a model: its `tokenizer.json`, with the `tokenizer_config.json` beside it where there is one, else
 * what the text encoder's GGUF file holds.
 *
 * @param encoder  the text encoder's files
 * @throws KleinbildError `missing-file` when there is neither
 */
export async function findTokenizer(
  source: ModelSource,
  encoder: readonly TensorFile[],
  signal?: AbortSignal,
): Promise<FoundTokenizer> {
  for (const folder of FOLDERS) {
    const path = folder + NAME;
    if (!(await source.exists(path, signal))) continue;
    const config = `${folder}tokenizer_config.json`;
    const hasConfig = await source.exists(config, signal);
    return {
      files: hasConfig ? [path, config] : [path],
      read: async () => ({
        json: await readJson(source, path, signal),
        config: hasConfig ? await readJson(source, config, signal) : { pad_token: PAD_TOKEN },
      }),
    };
  }
  for (const { path, metadata } of encoder) {
    const [tokens, types, merges] = ["tokens", "token_type", "merges"].map((key) =>
      metadata.get(`tokenizer.ggml.${key}`),
    );
    if (!Array.isArray(tokens) || !Array.isArray(types) || !Array.isArray(merges)) continue;
    const [model, pre] = ["model", "pre"].map((key) => metadata.get(`tokenizer.ggml.${key}`));
    const tokenizer = ggufTokenizer({ model, pre, tokens, types, merges }, path);
    return { files: [path], read: async () => tokenizer };
  }
  throw new KleinbildError(
    "missing-file",
    `${source.description} has no ${FOLDERS.map((folder) => folder + NAME).join(", ")}, and its text encoder is no GGUF ` +
      "file with a tokenizer in it. Add the tokenizer.json of Qwen3, the same for all of klein's encoders.",
    { path: FOLDERS[0] + NAME },
  );
}
