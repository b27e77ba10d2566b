import { KleinbildError } from "../../errors.ts";
import { decodeBase64, encodeBase64 } from "./base64.ts";

/** Data URIs (RFC 2397): `data:[<type>][;<parameter>]…[;base64],<data>`. */

/** Bytes to a data URI in base64. */
export function encodeDataUri(bytes: Uint8Array, type: string): string {
  return `data:${type};base64,${encodeBase64(bytes)}`;
}

/** Where the data begins. @throws KleinbildError `invalid-request` without a comma */
function dataStart(uri: string): number {
  // types are short: do not search a megabyte of base64 for a comma
  const comma = uri.slice(0, 1024).indexOf(",");
  if (comma >= 0) return comma + 1;
  throw new KleinbildError(
    "invalid-request",
    "The data URI has no comma between its type and its data; it must be like data:image/png;base64,iVBOR…",
  );
}

/**
 * The bytes of a data URI. Its type is ignored: the bytes show their type.
 *
 * @throws KleinbildError `invalid-request`
 */
export function decodeDataUri(uri: string): Uint8Array<ArrayBuffer> {
  const start = dataStart(uri);
  const data = uri.slice(start);
  if (!/;\s*base64\s*$/i.test(uri.slice(0, start - 1))) return decodePercent(data);
  if (data.includes("%")) return decodeBase64(new TextDecoder().decode(decodePercent(data)));
  return decodeBase64(data);
}

/** Percent-encoding to bytes; other characters are UTF-8. */
function decodePercent(text: string): Uint8Array<ArrayBuffer> {
  const encoded = new TextEncoder().encode(text);
  const bytes = new Uint8Array(encoded.length);
  let length = 0;
  for (let i = 0; i < encoded.length; i++, length++) {
    const hex = encoded[i] === 0x25 ? String.fromCharCode(encoded[i + 1] ?? 0, encoded[i + 2] ?? 0) : "";
    const isEscape = /^[\da-f]{2}$/i.test(hex);
    bytes[length] = isEscape ? parseInt(hex, 16) : encoded[i]!;
    if (isEscape) i += 2;
  }
  return bytes.subarray(0, length);
}
