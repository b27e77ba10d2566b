import { KleinbildError } from "../../errors.ts";
import type { TensorFile } from "../formats/tensor-file.ts";
import { readJson } from "../sources/read-json.ts";
import type { ModelSource } from "../sources/model-source.ts";
import { ggufTokenizer, PAD_TOKEN, type TokenizerFiles } from "./gguf-tokenizer.ts";

/** A tokenizer and its files. */
export interface FoundTokenizer {
  readonly files: readonly string[];
  /** Reads the tokenizer. This is deferred because the parsed tokenizer would be by far the largest object of an open model. */
  read(): Promise<TokenizerFiles>;
}

const NAME = "tokenizer.json";
/** Possible folders: of diffusers, of a text encoder that was downloaded as a whole, or beside single files. */
const FOLDERS = ["tokenizer/", "text_encoder/", ""] as const;

/**
 * Finds the tokenizer of a model: `tokenizer.json` and, if it exists, the `tokenizer_config.json` beside it, or else the
 * tokenizer in the text encoder's GGUF file.
 *
 * @param encoder  files of the text encoder
 * @throws KleinbildError `missing-file` when the model has no tokenizer
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
    `${source.description} has no ${FOLDERS.map((folder) => folder + NAME).join(", ")}, and its text encoder is not a GGUF ` +
      "file with a tokenizer. Add the tokenizer.json of Qwen3, which is the same for all klein models.",
    { path: FOLDERS[0] + NAME },
  );
}
