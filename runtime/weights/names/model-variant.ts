import type { ModelVariant } from "../model-config.ts";

/** The word as a part of a file's name, as in `flux-2-klein-base-4b`. */
const hasWord = (text: string, word: string): boolean =>
  new RegExp(`(?:^|[^a-z\\d])${word}(?:$|[^a-z\\d])`, "i").test(text);

/**
 * How weights were trained, by the name that their publishers give them: `base` is not distilled, `kv` is for isolated
 * references. Without either they are distilled, as most that are in use.
 *
 * @param names  paths of the transformer's files, and the name that a GGUF file gives itself
 */
export function variantFromNames(names: readonly string[]): ModelVariant {
  for (const name of names) {
    if (hasWord(name, "kv")) return { distilled: true, kv: true, from: name };
    if (hasWord(name, "base")) return { distilled: false, kv: false, from: name };
  }
  return { distilled: true, kv: false, from: "default" };
}
