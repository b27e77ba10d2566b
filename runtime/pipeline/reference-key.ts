import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import type { PixelImage } from "../image/pixels.ts";

/**
 * The key of kept reference keys and values: SHA-256 over everything that they depend on, which is the ordered pixels
 * with their sizes, and `fingerprint`, which tells sets of weights apart.
 */
export function hashReferences(references: readonly PixelImage[], fingerprint: string): string {
  const sizes = references.map(({ width, height }) => [width, height]);
  const hash = sha256.create().update(new TextEncoder().encode(JSON.stringify([fingerprint, sizes])));
  for (const { data } of references) hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return bytesToHex(hash.digest());
}
