/** WebP's RIFF container (RFC 9649): chunks of type, little-endian length, data padded to an even length. */

const RIFF_HEADER_BYTES = 12;
const CHUNK_HEADER_BYTES = 8;
const EXTENDED_BYTES = 10;
const XMP_FLAG = 0x04;

interface Chunk {
  readonly type: string;
  readonly start: number;
  readonly length: number;
}

/** The packet goes to the end; a file in the simple format is given the extended header that metadata needs. */
export function insertWebpXmp(
  bytes: Uint8Array,
  packet: Uint8Array,
  { width, height }: { readonly width: number; readonly height: number },
): Uint8Array<ArrayBuffer> {
  const isExtended = chunkAt(bytes, RIFF_HEADER_BYTES)?.type === "VP8X";
  const header = isExtended ? 0 : CHUNK_HEADER_BYTES + EXTENDED_BYTES;
  const out = new Uint8Array(bytes.length + header + CHUNK_HEADER_BYTES + padded(packet.length));
  const view = new DataView(out.buffer);
  out.set(bytes.subarray(0, RIFF_HEADER_BYTES));
  out.set(bytes.subarray(RIFF_HEADER_BYTES), RIFF_HEADER_BYTES + header);
  if (!isExtended) {
    writeChunkHeader(view, RIFF_HEADER_BYTES, "VP8X", EXTENDED_BYTES);
    const at = RIFF_HEADER_BYTES + CHUNK_HEADER_BYTES;
    view.setUint32(at + 4, width - 1, true); // 24 bits each
    view.setUint16(at + 7, (height - 1) & 0xffff, true);
    view.setUint8(at + 9, (height - 1) >> 16);
  }
  out[RIFF_HEADER_BYTES + CHUNK_HEADER_BYTES]! |= XMP_FLAG;
  writeChunkHeader(view, bytes.length + header, "XMP ", packet.length);
  out.set(packet, bytes.length + header + CHUNK_HEADER_BYTES);
  view.setUint32(4, out.length - 8, true);
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

const padded = (length: number): number => length + (length % 2);

function chunkAt(bytes: Uint8Array, at: number): Chunk | undefined {
  if (at + CHUNK_HEADER_BYTES > bytes.length) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const type = String.fromCharCode(...bytes.subarray(at, at + 4));
  return { type, start: at + CHUNK_HEADER_BYTES, length: view.getUint32(at + 4, true) };
}

function writeChunkHeader(view: DataView, at: number, type: string, length: number): void {
  for (let i = 0; i < 4; i++) view.setUint8(at + i, type.charCodeAt(i));
  view.setUint32(at + 4, length, true);
}
