import { KleinbildError } from "../errors.ts";
import type { ModelSource } from "./source.ts";

/** The largest JSON file of a model: the real tokenizer has 11 MB. */
const MAX_JSON_BYTES = 64 << 20;

/** A JSON file of a model. @throws KleinbildError `missing-file` or `invalid-model` */
export async function readJson(source: ModelSource, path: string, signal?: AbortSignal): Promise<unknown> {
  const file = await source.open(path, signal);
  if (file.size > MAX_JSON_BYTES)
    throw new KleinbildError(
      "invalid-model",
      `${path} has ${file.size} bytes; a JSON file of at most ${MAX_JSON_BYTES} was expected.`,
      { path },
    );
  const bytes = await file.read(0, file.size, signal);
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new KleinbildError(
      "invalid-model",
      `${path} of ${source.description} is not valid JSON.`,
      { path },
      { cause },
    );
  }
}
