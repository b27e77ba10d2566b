/** PNG chunks (ISO/IEC 15948): length, type, data, CRC-32 of type and data. */

const SIGNATURE_BYTES = 8;
const HEADER_CHUNK_BYTES = 25; // IHDR, always first
const CHUNK_OVERHEAD_BYTES = 12;
/** Keyword of an XMP packet in an iTXt chunk, then: no compression, no language, no translated keyword. */
const XMP_KEYWORD = new TextEncoder().encode("XML:com.adobe.xmp\0\0\0\0\0");

export function insertPngXmp(bytes: Uint8Array, packet: Uint8Array): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(XMP_KEYWORD.length + packet.length);
  data.set(XMP_KEYWORD);
  data.set(packet, XMP_KEYWORD.length);
  const at = SIGNATURE_BYTES + HEADER_CHUNK_BYTES;
  const out = new Uint8Array(bytes.length + data.length + CHUNK_OVERHEAD_BYTES);
  out.set(bytes.subarray(0, at));
  writeChunk(out, at, "iTXt", data);
  out.set(bytes.subarray(at), at + data.length + CHUNK_OVERHEAD_BYTES);
  return out;
}

export function findPngXmp(bytes: Uint8Array): Uint8Array | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = SIGNATURE_BYTES; at + CHUNK_OVERHEAD_BYTES <= bytes.length;) {
    const length = view.getUint32(at);
    const data = bytes.subarray(at + 8, at + 8 + length);
    if (data.length < length) return undefined;
    if (chunkType(bytes, at) === "iTXt" && XMP_KEYWORD.every((byte, i) => data[i] === byte))
      return data.subarray(XMP_KEYWORD.length);
    at += length + CHUNK_OVERHEAD_BYTES;
  }
  return undefined;
}

function chunkType(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at + 4, at + 8));
}

function writeChunk(out: Uint8Array<ArrayBuffer>, at: number, type: string, data: Uint8Array): void {
  const view = new DataView(out.buffer);
  view.setUint32(at, data.length);
  for (let i = 0; i < 4; i++) out[at + 4 + i] = type.charCodeAt(i);
  out.set(data, at + 8);
  view.setUint32(at + 8 + data.length, crc32(out.subarray(at + 4, at + 8 + data.length)));
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
