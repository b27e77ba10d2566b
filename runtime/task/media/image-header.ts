import { startsWith, ascii } from "../../image/bytes.ts";

/** Type and size of a picture file, from its first bytes. */
export interface ImageHeader {
  readonly type: "image/png" | "image/jpeg" | "image/webp";
  /** In pixels, before an orientation is applied. Undefined if the header is damaged or cut off. */
  readonly size: { readonly width: number; readonly height: number } | undefined;
}

const PNG = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const JPEG = Uint8Array.of(0xff, 0xd8, 0xff);

/**
 * Type and size of a picture, without decoding it: a decoder would use memory for pixels before their number is checked.
 * Undefined for other types.
 */
export function readImageHeader(bytes: Uint8Array): ImageHeader | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (startsWith(bytes, PNG)) return { type: "image/png", size: nonEmpty(pngSize(view)) };
  if (startsWith(bytes, JPEG)) return { type: "image/jpeg", size: nonEmpty(jpegSize(view)) };
  if (isWebp(bytes)) return { type: "image/webp", size: nonEmpty(webpSize(view)) };
  return undefined;
}

/** What the bytes probably are instead, for an error. */
export function describeForeignBytes(bytes: Uint8Array): string {
  if (bytes.length === 0) return "nothing";
  const start = new TextDecoder("latin1").decode(bytes.subarray(0, 64)).trimStart().toLowerCase();
  const brand = new TextDecoder("latin1").decode(bytes.subarray(4, 12));
  if (start.startsWith("gif8")) return "a GIF";
  if (brand.startsWith("ftypavi")) return "an AVIF";
  if (/^ftyp(hei|hev|mif1|msf1)/.test(brand)) return "a HEIC picture";
  if (start.startsWith("bm")) return "a BMP";
  if (start.startsWith("ii*\0") || start.startsWith("mm\0*")) return "a TIFF";
  if (start.startsWith("%pdf-")) return "a PDF";
  if (start.startsWith("<svg") || (start.startsWith("<?xml") && start.includes("<svg"))) return "an SVG";
  if (start.startsWith("<!doctype html") || start.startsWith("<html")) return "an HTML page";
  if (start.startsWith("<?xml")) return "XML";
  if (start.startsWith("{") || start.startsWith("[")) return "JSON";
  const hex = [...bytes.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, "0"));
  return `${bytes.length} bytes that begin with ${hex.join(" ")}`;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

function nonEmpty(size: Size | undefined): Size | undefined {
  return size && size.width > 0 && size.height > 0 ? size : undefined;
}

/** PNG (ISO/IEC 15948): IHDR is the first chunk and begins with width and height. */
function pngSize(view: DataView): Size | undefined {
  return view.byteLength < 24 ? undefined : { width: view.getUint32(16), height: view.getUint32(20) };
}

/** JPEG (ISO/IEC 10918-1): a frame header is any of SOF0 … SOF15 but DHT (C4), JPG (C8) and DAC (CC). */
function jpegSize(view: DataView): Size | undefined {
  for (let at = 2; at + 9 <= view.byteLength && view.getUint8(at) === 0xff;) {
    const marker = view.getUint8(at + 1);
    if (marker === 0xff) {
      at++; // fill bytes
      continue;
    }
    if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc)
      return { height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
    const standsAlone = marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8);
    if (marker === 0xd9 || marker === 0xda) return undefined; // the picture, or its end, without a frame header
    at += standsAlone ? 2 : 2 + view.getUint16(at + 2);
  }
  return undefined;
}

function isWebp(bytes: Uint8Array): boolean {
  return startsWith(bytes, ascii("RIFF")) && startsWith(bytes.subarray(8), ascii("WEBP"));
}

/** WebP (RFC 9649): the first chunk is VP8X (24 bits each), VP8L (14 bits each, after a signature) or VP8 (14 of 16 bits). */
function webpSize(view: DataView): Size | undefined {
  if (view.byteLength < 30) return undefined;
  const uint24 = (at: number): number => view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
  switch (view.getUint32(12)) {
    case 0x56503858: // VP8X
      return { width: uint24(24) + 1, height: uint24(27) + 1 };
    case 0x5650384c: {
      // VP8L
      const bits = view.getUint32(21, true);
      return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
    }
    case 0x56503820: // "VP8 "
      return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
    default:
      return undefined;
  }
}
