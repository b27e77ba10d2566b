/** JPEG segments (ISO/IEC 10918-1): 0xFF, marker, big-endian length that includes itself, data. */

const MARKER_PREFIX = 0xff;
const START_OF_SCAN = 0xda;
const APP0 = 0xe0;
const APP1 = 0xe1;
const MAX_LENGTH = 0xffff;
const START_OF_IMAGE_BYTES = 2;
const SEGMENT_HEADER_BYTES = 4;
const XMP_HEADER = new TextEncoder().encode("http://ns.adobe.com/xap/1.0/\0");

/** @returns undefined when the packet does not fit into one segment */
export function insertJpegXmp(bytes: Uint8Array, packet: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  const length = 2 + XMP_HEADER.length + packet.length;
  if (length > MAX_LENGTH) return undefined;
  // JFIF wants its APP0 directly behind the start of the image
  const hasApp0 = bytes[2] === MARKER_PREFIX && bytes[3] === APP0;
  const at = hasApp0 ? START_OF_IMAGE_BYTES + 2 + ((bytes[4]! << 8) | bytes[5]!) : START_OF_IMAGE_BYTES;
  const out = new Uint8Array(bytes.length + 2 + length);
  out.set(bytes.subarray(0, at));
  out.set([MARKER_PREFIX, APP1, length >> 8, length & 0xff], at);
  out.set(XMP_HEADER, at + SEGMENT_HEADER_BYTES);
  out.set(packet, at + SEGMENT_HEADER_BYTES + XMP_HEADER.length);
  out.set(bytes.subarray(at), at + 2 + length);
  return out;
}

export function findJpegXmp(bytes: Uint8Array): Uint8Array | undefined {
  for (let at = START_OF_IMAGE_BYTES; at + SEGMENT_HEADER_BYTES <= bytes.length;) {
    const marker = bytes[at + 1]!;
    const length = (bytes[at + 2]! << 8) | bytes[at + 3]!;
    if (bytes[at] !== MARKER_PREFIX || marker === START_OF_SCAN || length < 2) return undefined;
    const end = at + 2 + length;
    if (end > bytes.length) return undefined;
    const data = bytes.subarray(at + SEGMENT_HEADER_BYTES, end);
    if (marker === APP1 && XMP_HEADER.every((byte, i) => data[i] === byte)) return data.subarray(XMP_HEADER.length);
    at = end;
  }
  return undefined;
}
