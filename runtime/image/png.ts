import { concatBytes } from "@noble/hashes/utils.js";
import { ascii, startsWith } from "./bytes.ts";
import { wrapXmp } from "./xmp.ts";

/** PNG chunks (ISO/IEC 15948): length, type, data, CRC-32 of type and data. */

const SIGNATURE_BYTES = 8;
const HEADER_CHUNK_BYTES = 25; // IHDR, always first
const CHUNK_OVERHEAD_BYTES = 12;
/** Keyword of an XMP packet in an iTXt chunk, then: no compression, no language, no translated keyword. */
const XMP_KEYWORD = ascii("XML:com.adobe.xmp\0\0\0\0\0");

/** The file with the packet before its pixels, where readers find it without reading on. */
export function insertPngXmp(bytes: Uint8Array, xmp: string): Uint8Array<ArrayBuffer> {
  const at = SIGNATURE_BYTES + HEADER_CHUNK_BYTES;
  const chunk = makeChunk("iTXt", concatBytes(XMP_KEYWORD, wrapXmp(xmp)));
  return concatBytes(bytes.subarray(0, at), chunk, bytes.subarray(at));
}

export function findPngXmp(bytes: Uint8Array): Uint8Array | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = SIGNATURE_BYTES; at + CHUNK_OVERHEAD_BYTES <= bytes.length;) {
    const length = view.getUint32(at);
    const data = bytes.subarray(at + 8, at + 8 + length);
    if (data.length < length) return undefined;
    if (chunkType(bytes, at) === "iTXt" && startsWith(data, XMP_KEYWORD)) return data.subarray(XMP_KEYWORD.length);
    at += length + CHUNK_OVERHEAD_BYTES;
  }
  return undefined;
}

function chunkType(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at + 4, at + 8));
}

function makeChunk(type: string, data: Uint8Array): Uint8Array {
  const chunk = new Uint8Array(data.length + CHUNK_OVERHEAD_BYTES);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, data.length);
  chunk.set(ascii(type), 4);
  chunk.set(data, 8);
  view.setUint32(8 + data.length, crc32(chunk.subarray(4, 8 + data.length)));
  return chunk;
}

/** CRC-32 of ISO 3309, bit by bit: a few kilobytes once a picture. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}
