import { KleinbildError } from "../../errors.ts";

/** Base64 (RFC 4648) in both alphabets. `atob` does not say what is wrong, and where. */

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const PAD = "=".charCodeAt(0);
const FOREIGN = 255;
const SPACE = 254;

/** Character code → its six bits, in the standard and the URL-safe alphabet. */
const VALUES = new Uint8Array(128).fill(FOREIGN);
for (let i = 0; i < ALPHABET.length; i++) VALUES[ALPHABET.charCodeAt(i)] = i;
VALUES["-".charCodeAt(0)] = 62;
VALUES["_".charCodeAt(0)] = 63;
for (const space of " \t\n\r\f") VALUES[space.charCodeAt(0)] = SPACE;

const CODES = new TextEncoder().encode(ALPHABET);

/** Bytes to base64 of the standard alphabet, padded. */
export function encodeBase64(bytes: Uint8Array): string {
  const codes = new Uint8Array(Math.ceil(bytes.length / 3) * 4).fill(PAD);
  for (let from = 0, to = 0; from < bytes.length; from += 3, to += 4) {
    const left = bytes.length - from;
    const bits = (bytes[from]! << 16) | ((bytes[from + 1] ?? 0) << 8) | (bytes[from + 2] ?? 0);
    codes[to] = CODES[bits >> 18]!;
    codes[to + 1] = CODES[(bits >> 12) & 63]!;
    if (left > 1) codes[to + 2] = CODES[(bits >> 6) & 63]!;
    if (left > 2) codes[to + 3] = CODES[bits & 63]!;
  }
  return new TextDecoder().decode(codes);
}

/**
 * Base64 to bytes: either alphabet, white space anywhere, with or without padding. Left-over bits of the last character
 * are ignored.
 *
 * @throws KleinbildError `invalid-request` with the `position` of what is wrong, from 0
 */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(Math.ceil((text.length * 3) / 4));
  let length = 0;
  let characters = 0;
  let bits = 0;
  let padding = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const value = VALUES[code] ?? FOREIGN;
    if (value === SPACE) continue;
    if (code === PAD && padding < (-characters & 3) && (characters & 3) !== 1) {
      padding++;
      continue;
    }
    if (value === FOREIGN || padding > 0) throw foreignCharacter(text, i, padding > 0);
    bits = ((bits << 6) | value) & 0xffffff;
    if ((++characters & 3) === 0) {
      bytes[length++] = bits >> 16;
      bytes[length++] = bits >> 8;
      bytes[length++] = bits;
    }
  }
  const left = characters & 3;
  if (left === 1 || (padding > 0 && left + padding !== 4)) throw cutOff(text, characters + padding);
  if (left === 2) bytes[length++] = bits >> 4;
  if (left === 3) {
    bytes[length++] = bits >> 10;
    bytes[length++] = bits >> 2;
  }
  return bytes.subarray(0, length);
}

function foreignCharacter(text: string, position: number, afterPadding: boolean): KleinbildError {
  const character = JSON.stringify(String.fromCodePoint(text.codePointAt(position)!));
  const what = afterPadding ? `${character} follows the padding` : `${character} is not a base64 character`;
  return new KleinbildError("invalid-request", `The base64 is invalid at position ${position}: ${what}.`, { position });
}

function cutOff(text: string, characters: number): KleinbildError {
  return new KleinbildError(
    "invalid-request",
    `The base64 is cut off at position ${text.length}: ${characters} characters are no whole number of bytes.`,
    { position: text.length },
  );
}
