import { KleinbildError } from "../../errors.ts";
import type { ModelSource } from "./model-source.ts";

/** The largest JSON file of a real model, its tokenizer, has 11 MB. */
const MAX_JSON_BYTES = 64 << 20;

/** Reads a JSON file that holds an object. @throws KleinbildError `missing-file` or `invalid-model` */
export async function readJson(
  source: ModelSource,
  path: string,
  signal?: AbortSignal,
): Promise<Readonly<Record<string, unknown>>> {
  const file = await source.open(path, signal);
  if (file.size > MAX_JSON_BYTES)
    throw new KleinbildError(
      "invalid-model",
      `${path} has ${file.size} bytes; a JSON file may have at most ${MAX_JSON_BYTES}.`,
      { path },
    );
  const bytes = await file.read(0, file.size, signal);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    const message = `${path} of ${source.description} is not valid JSON.`;
    throw new KleinbildError("invalid-model", message, { path }, { cause });
  }
  if (isObject(value)) return value;
  throw new KleinbildError("invalid-model", `${path} of ${source.description} must hold a JSON object.`, { path });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
