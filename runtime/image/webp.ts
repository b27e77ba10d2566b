import { concatBytes } from "@noble/hashes/utils.js";
import { ascii } from "./bytes.ts";
import { wrapXmp } from "./xmp.ts";

/** WebP's RIFF container (RFC 9649): chunks of type, little-endian length, data padded to an even length. */

const RIFF_HEADER_BYTES = 12;
const CHUNK_HEADER_BYTES = 8;
const EXTENDED_BYTES = 10;
const ALPHA_FLAG = 0x10;
const XMP_FLAG = 0x04;

interface Chunk {
  readonly type: string;
  readonly start: number;
  readonly length: number;
}

/** Appends the packet. A file in the simple format gets the extended header that metadata requires. */
export function insertWebpXmp(bytes: Uint8Array, xmp: string): Uint8Array<ArrayBuffer> {
  const first = chunkAt(bytes, RIFF_HEADER_BYTES);
  const header = !first || first.type === "VP8X" ? new Uint8Array() : makeChunk("VP8X", extendedHeader(bytes, first));
  const out = concatBytes(
    bytes.subarray(0, RIFF_HEADER_BYTES),
    header,
    bytes.subarray(RIFF_HEADER_BYTES),
    makeChunk("XMP ", wrapXmp(xmp)),
  );
  out[RIFF_HEADER_BYTES + CHUNK_HEADER_BYTES]! |= XMP_FLAG;
  new DataView(out.buffer).setUint32(4, out.length - 8, true);
  return out;
}

export function findWebpXmp(bytes: Uint8Array): Uint8Array | undefined {
  for (let at = RIFF_HEADER_BYTES; ;) {
    const chunk = chunkAt(bytes, at);
    if (!chunk) return undefined;
    const end = chunk.start + chunk.length;
    if (end > bytes.length) return undefined;
    if (chunk.type === "XMP ") return bytes.subarray(chunk.start, end);
    at = chunk.start + padded(chunk.length);
  }
}

/** Flags and size of the picture, as its own header has them. */
function extendedHeader(bytes: Uint8Array, { type, start }: Chunk): Uint8Array {
  const picture = new DataView(bytes.buffer, bytes.byteOffset + start);
  // lossless: a signature byte, 14 bits each of width - 1 and height - 1, alpha; lossy: six bytes, then 14 bits of 16 each
  const bits = picture.getUint32(1, true);
  const lossless = type === "VP8L";
  const right = lossless ? bits & 0x3fff : (picture.getUint16(6, true) & 0x3fff) - 1;
  const bottom = lossless ? (bits >>> 14) & 0x3fff : (picture.getUint16(8, true) & 0x3fff) - 1;
  const data = new Uint8Array(EXTENDED_BYTES);
  const view = new DataView(data.buffer);
  view.setUint8(0, lossless && (bits >>> 28) & 1 ? ALPHA_FLAG : 0);
  view.setUint16(4, right, true); // 24 bits each, of which a picture in the simple format uses 14
  view.setUint16(7, bottom, true);
  return data;
}

const padded = (length: number): number => length + (length % 2);

function chunkAt(bytes: Uint8Array, at: number): Chunk | undefined {
  if (at + CHUNK_HEADER_BYTES > bytes.length) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const type = String.fromCharCode(...bytes.subarray(at, at + 4));
  return { type, start: at + CHUNK_HEADER_BYTES, length: view.getUint32(at + 4, true) };
}

function makeChunk(type: string, data: Uint8Array): Uint8Array {
  const chunk = new Uint8Array(CHUNK_HEADER_BYTES + padded(data.length));
  chunk.set(ascii(type));
  new DataView(chunk.buffer).setUint32(4, data.length, true);
  chunk.set(data, CHUNK_HEADER_BYTES);
  return chunk;
}
