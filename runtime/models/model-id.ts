import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";

const HASH_DIGITS = 12;

/** The id of a model in the store: a readable name, and a hash of its key. */
export function modelId(key: string): string {
  const path = key.replace(/[?#].*$/, "").replace(/\/+$/, "");
  const readable = path
    .split(/[\\/]/)
    .at(-1)!
    .toLowerCase()
    .replaceAll(/[^a-z\d.]+/g, "-")
    .replaceAll(/^[-.]+|[-.]+$/g, "")
    .slice(0, 40);
  return `${readable || "model"}-${bytesToHex(sha256(utf8ToBytes(key))).slice(0, HASH_DIGITS)}`;
}
