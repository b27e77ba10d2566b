import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import type { PixelImage } from "./image/pixels.ts";

/**
 * The key of kept reference keys and values: SHA-256 over everything that they depend on, which is the ordered pixels
 * with their sizes and the fingerprint of the weights (files, format, scalar type).
 */
export function hashReferences(references: readonly PixelImage[], fingerprint: string): string {
  const hash = sha256.create().update(new TextEncoder().encode(fingerprint));
  for (const { width, height, data } of references) {
    hash.update(new Uint8Array(Uint32Array.of(width, height).buffer));
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return bytesToHex(hash.digest());
}
