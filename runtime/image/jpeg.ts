import { md5 } from "@noble/hashes/legacy.js";
import { bytesToHex, concatBytes } from "@noble/hashes/utils.js";
import { ascii, startsWith } from "./bytes.ts";
import { buildXmpNote, readXmpNote, wrapXmp } from "./xmp.ts";

/** JPEG segments (ISO/IEC 10918-1): 0xFF, marker, big-endian length that includes itself, data. */

const MARKER_PREFIX = 0xff;
const START_OF_SCAN = 0xda;
const APP0 = 0xe0;
const APP1 = 0xe1;
const START_OF_IMAGE_BYTES = 2;
const MARKER_BYTES = 2;
const LENGTH_BYTES = 2;
const MAX_DATA_BYTES = 0xffff - LENGTH_BYTES;

/** Before a packet (ISO 16684-3): it has to fit into one segment. */
const XMP_HEADER = ascii("http://ns.adobe.com/xap/1.0/\0");
/** Before a portion of longer XMP; then its MD5 in capital hexadecimal digits, its length and the portion's offset. */
const EXTENSION_HEADER = ascii("http://ns.adobe.com/xmp/extension/\0");
const NAME_BYTES = 32;
const PORTION_START = EXTENSION_HEADER.length + NAME_BYTES + 8;
const PORTION_BYTES = MAX_DATA_BYTES - PORTION_START;

interface Portion {
  readonly name: string;
  readonly total: number;
  readonly offset: number;
  readonly data: Uint8Array;
}

/** The file with XMP of any length. XMP that does not fit into one segment is split into extension segments. */
export function insertJpegXmp(bytes: Uint8Array, xmp: string): Uint8Array<ArrayBuffer> {
  // JFIF requires its APP0 directly after the start of the image
  const hasApp0 = bytes[2] === MARKER_PREFIX && bytes[3] === APP0;
  const at = START_OF_IMAGE_BYTES + (hasApp0 ? MARKER_BYTES + ((bytes[4]! << 8) | bytes[5]!) : 0);
  return concatBytes(bytes.subarray(0, at), ...xmpSegments(xmp), bytes.subarray(at));
}

/** The packet, followed by the extension that it names. */
export function findJpegXmp(bytes: Uint8Array): Uint8Array | undefined {
  let packet: Uint8Array | undefined;
  const portions: Portion[] = [];
  for (const data of app1Segments(bytes)) {
    if (startsWith(data, XMP_HEADER)) packet ??= data.subarray(XMP_HEADER.length);
    else if (startsWith(data, EXTENSION_HEADER) && data.length >= PORTION_START) portions.push(readPortion(data));
  }
  if (!packet) return undefined;
  const extensionName = readXmpNote(new TextDecoder().decode(packet));
  const extension = joinPortions(portions.filter(({ name }) => name === extensionName));
  return extension ? concatBytes(packet, extension) : packet;
}

function xmpSegments(xmp: string): Uint8Array<ArrayBuffer>[] {
  const packet = concatBytes(XMP_HEADER, wrapXmp(xmp));
  if (packet.length <= MAX_DATA_BYTES) return [app1(packet)];
  const extension = new TextEncoder().encode(xmp);
  const name = bytesToHex(md5(extension)).toUpperCase();
  const segments = [app1(concatBytes(XMP_HEADER, wrapXmp(buildXmpNote(name))))];
  for (let offset = 0; offset < extension.length; offset += PORTION_BYTES) {
    const place = new DataView(new ArrayBuffer(8));
    place.setUint32(0, extension.length);
    place.setUint32(4, offset);
    const portion = extension.subarray(offset, offset + PORTION_BYTES);
    segments.push(app1(concatBytes(EXTENSION_HEADER, ascii(name), new Uint8Array(place.buffer), portion)));
  }
  return segments;
}

function app1(data: Uint8Array): Uint8Array<ArrayBuffer> {
  const length = LENGTH_BYTES + data.length;
  return concatBytes(Uint8Array.of(MARKER_PREFIX, APP1, length >> 8, length & 0xff), data);
}

/** Data of the APP1 segments before the picture, as far as the file is well-formed. */
function* app1Segments(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = START_OF_IMAGE_BYTES; bytes[at] === MARKER_PREFIX;) {
    const marker = bytes[at + 1];
    if (marker === MARKER_PREFIX) {
      at++; // any number of 0xFF may fill the space before a marker
      continue;
    }
    const start = at + MARKER_BYTES + LENGTH_BYTES;
    if (start > bytes.length || marker === START_OF_SCAN) return;
    const end = at + MARKER_BYTES + ((bytes[at + 2]! << 8) | bytes[at + 3]!);
    if (end < start || end > bytes.length) return;
    if (marker === APP1) yield bytes.subarray(start, end);
    at = end;
  }
}

function readPortion(data: Uint8Array): Portion {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const nameStart = EXTENSION_HEADER.length;
  return {
    name: new TextDecoder().decode(data.subarray(nameStart, nameStart + NAME_BYTES)),
    total: view.getUint32(nameStart + NAME_BYTES),
    offset: view.getUint32(nameStart + NAME_BYTES + 4),
    data: data.subarray(PORTION_START),
  };
}

/** @returns undefined unless the portions, in any order, are the whole */
function joinPortions(portions: readonly Portion[]): Uint8Array | undefined {
  let length = 0;
  const sorted = portions.toSorted((a, b) => a.offset - b.offset);
  for (const { offset, data } of sorted) {
    if (offset !== length) return undefined;
    length += data.length;
  }
  if (length === 0 || length !== sorted[0]?.total) return undefined;
  const whole = new Uint8Array(length);
  for (const { offset, data } of sorted) whole.set(data, offset);
  return whole;
}
