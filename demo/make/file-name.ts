import type { ImageMetadata } from "../../runtime/index.ts";

const MAX_CHARACTERS = 60;

/** Of the prompt and the seed, without what some file system refuses. */
export function fileName({ prompt, seed }: Pick<ImageMetadata, "prompt" | "seed">): string {
  const words = prompt.toLowerCase().match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
  // by code points: half a character is none
  const slug = Array.from(words.join("-")).slice(0, MAX_CHARACTERS).join("").replace(/-$/, "");
  return `${slug || "picture"}-${seed}.png`;
}
