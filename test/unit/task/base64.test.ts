import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KleinbildError } from "../../../runtime/errors.ts";
import { decodeBase64, encodeBase64 } from "../../../runtime/task/media/base64.ts";

function outcomeOf(text: string): unknown {
  try {
    return decodeBase64(text).length <= text.length ? "ended" : "too long";
  } catch (error) {
    return error instanceof KleinbildError ? "ended" : error;
  }
}

const anyBytes = fc.uint8Array({ maxLength: 200 });

describe("encodeBase64", () => {
  it("agrees with Node for any bytes", () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        expect(encodeBase64(bytes)).toBe(Buffer.from(bytes).toString("base64"));
      }),
    );
  });

  for (const [text, expected] of [
    ["", ""],
    ["f", "Zg=="],
    ["fo", "Zm8="],
    ["foo", "Zm9v"],
    ["foob", "Zm9vYg=="],
  ] as const)
    it(`encodes ${JSON.stringify(text)} as RFC 4648 does`, () => {
      expect(encodeBase64(new TextEncoder().encode(text))).toBe(expected);
    });
});

describe("decodeBase64", () => {
  it("brings back any bytes, in either alphabet, padded or not", () => {
    fc.assert(
      fc.property(anyBytes, fc.constantFrom("base64", "base64url"), fc.boolean(), (bytes, alphabet, padded) => {
        const text = Buffer.from(bytes).toString(alphabet).replaceAll("=", "");
        const given = padded ? text.padEnd(Math.ceil(text.length / 4) * 4, "=") : text;
        expect([...decodeBase64(given)]).toEqual([...bytes]);
      }),
    );
  });

  it("skips white space anywhere", () => {
    const spaces = fc.array(fc.tuple(fc.nat(), fc.constantFrom(" ", "\n", "\r\n", "\t", "\f")), { maxLength: 10 });
    fc.assert(
      fc.property(anyBytes, spaces, (bytes, spaces) => {
        let text = Buffer.from(bytes).toString("base64");
        for (const [at, space] of spaces) {
          const i = at % (text.length + 1);
          text = text.slice(0, i) + space + text.slice(i);
        }
        expect([...decodeBase64(text)]).toEqual([...bytes]);
      }),
    );
  });

  it("names the position of the first character that is foreign", () => {
    const foreign = fc.constantFrom("%", "!", ".", "ä", "€", "\u{1f600}", "\0", ",");
    fc.assert(
      fc.property(anyBytes, fc.nat(), foreign, (bytes, at, character) => {
        const text = Buffer.from(bytes).toString("base64").replaceAll("=", "");
        const position = at % (text.length + 1);
        const broken = text.slice(0, position) + character + text.slice(position);
        expect(() => decodeBase64(broken)).toThrow(`invalid at position ${position}: ${JSON.stringify(character)}`);
      }),
    );
  });

  it("ends for any text, with bytes or a KleinbildError", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(outcomeOf(text)).toBe("ended");
      }),
    );
  });

  for (const [text, position] of [
    ["Z", 1],
    ["Zm9vY", 5],
    ["Zg=", 3],
    ["Zg=\n", 4],
  ] as const)
    it(`says that ${JSON.stringify(text)} is cut off at ${position}`, () => {
      expect(() => decodeBase64(text)).toThrow(`cut off at position ${position}`);
    });

  for (const [text, position] of [
    ["=", 0],
    ["Zm9v=", 4],
    ["Zg===", 4],
    ["Z===", 1],
    ["Zm8==", 4],
  ] as const)
    it(`refuses the padding of ${JSON.stringify(text)} at ${position}`, () => {
      expect(() => decodeBase64(text)).toThrow(`invalid at position ${position}`);
    });

  it("refuses characters after the padding", () => {
    expect(() => decodeBase64("Zg==Zg==")).toThrow('position 4: "Z" follows the padding');
  });
});
