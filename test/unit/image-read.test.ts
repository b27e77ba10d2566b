import { describe, expect, it } from "vitest";
import type { ImageCodec } from "../../runtime/image/codec.ts";
import type { PixelImage } from "../../runtime/image/pixels.ts";
import { type ImageInput, readImage } from "../../runtime/image/read.ts";

const DECODED: PixelImage = { width: 1, height: 1, data: Uint8ClampedArray.of(1, 2, 3, 255) };

/** A codec that records the bytes that it decodes. */
function watchedCodec(): { readonly codec: ImageCodec; readonly decoded: (readonly number[])[] } {
  const decoded: (readonly number[])[] = [];
  const codec: ImageCodec = {
    decode: async (bytes, signal) => {
      signal?.throwIfAborted();
      decoded.push([...bytes]);
      return DECODED;
    },
    encode: () => expect.fail("nothing is encoded"),
  };
  return { codec, decoded };
}

const read = (input: unknown): Promise<PixelImage> => readImage(input as ImageInput, watchedCodec().codec);
const rgba = (...bytes: readonly number[]): Uint8ClampedArray => Uint8ClampedArray.from(bytes);

describe("an image file", () => {
  const bytes = Uint8Array.of(9, 8, 7, 6);
  const inputs: readonly (readonly [name: string, input: ImageInput, bytes: readonly number[]])[] = [
    ["a Blob", new Blob([bytes]), [9, 8, 7, 6]],
    ["a slice of a Blob", new Blob([bytes]).slice(1, 3), [8, 7]],
    ["an ArrayBuffer", bytes.slice().buffer, [9, 8, 7, 6]],
    ["a Uint8Array", bytes, [9, 8, 7, 6]],
    ["a view of the middle of a buffer", bytes.subarray(1, 3), [8, 7]],
    ["a Buffer of Node", Buffer.from(bytes), [9, 8, 7, 6]],
    ["an empty Uint8Array", new Uint8Array(), []],
  ];
  it.each(inputs)("as %s is decoded by its own bytes", async (_, input, expected) => {
    const { codec, decoded } = watchedCodec();
    expect(await readImage(input, codec)).toBe(DECODED);
    expect(decoded).toEqual([expected]);
  });

  it("in shared memory is copied, since decoders refuse it", async () => {
    const shared = new Uint8Array(new SharedArrayBuffer(4));
    shared.set(bytes);
    const { codec, decoded } = watchedCodec();
    await readImage(shared.subarray(1), codec);
    expect(decoded).toEqual([[8, 7, 6]]);
  });
});

describe("pixels", () => {
  it("are taken as they are when opaque, in a copy", async () => {
    const data = rgba(0, 1, 2, 255, 253, 254, 255, 255);
    const image = await read({ width: 2, height: 1, data });
    expect(image).toEqual({ width: 2, height: 1, data });
    expect(image.data).not.toBe(data);
  });

  it("keep every value of 0 … 255", async () => {
    const data = Uint8ClampedArray.from({ length: 1024 }, (_, i) => (i % 4 === 3 ? 255 : Math.floor(i / 4)));
    expect((await read({ width: 16, height: 16, data })).data).toEqual(data);
  });

  it("may be a Uint8Array, a Buffer or a view", async () => {
    const larger = Uint8Array.of(99, 99, 99, 99, 10, 20, 30, 255);
    for (const data of [larger.subarray(4), Buffer.from([10, 20, 30, 255]), Uint8ClampedArray.from(larger).subarray(4)])
      expect((await read({ width: 1, height: 1, data })).data).toEqual(rgba(10, 20, 30, 255));
  });

  it.each([
    [0, [255, 255, 255]],
    [51, [204, 214, 224]], // a fifth of the colour, four fifths of white
    [204, [51, 91, 131]],
    [254, [1, 51, 101]],
    [255, [0, 50, 100]],
  ] as const)("of alpha %d lie on white", async (alpha, colour) => {
    const { data } = await read({ width: 1, height: 1, data: rgba(0, 50, 100, alpha) });
    expect([...data]).toEqual([...colour, 255]);
  });

  it.each([
    [1, 1, 3],
    [1, 1, 5],
    [2, 3, 23],
    [2, 3, 25],
    [2, 3, 18], // RGB
    [2, 3, 0],
  ])("of %d x %d with %d bytes are refused", async (width, height, bytes) =>
    expect(read({ width, height, data: new Uint8ClampedArray(bytes) })).rejects.toMatchObject({
      code: "invalid-image",
      message: `${width} x ${height} pixels need ${width * height * 4} RGBA bytes; got ${bytes}.`,
      details: { width, height, bytes },
    }),
  );

  it.each([
    [0, 0, 0],
    [0, 4, 0],
    [4, 0, 0],
    [-1, -1, 4],
  ])("of %d x %d are refused as none, with %d bytes", async (width, height, bytes) =>
    expect(read({ width, height, data: new Uint8ClampedArray(bytes) })).rejects.toMatchObject({
      code: "invalid-image",
      message: `A picture has at least one pixel; got ${width} x ${height}.`,
      details: { width, height },
    }),
  );

  it.each([
    [10_000, 10_001],
    [2 ** 31, 1],
  ])("of %d x %d are refused as too many", async (width, height) =>
    expect(read({ width, height, data: rgba() })).rejects.toMatchObject({
      code: "invalid-image",
      message: expect.stringContaining("too large"),
      details: { width, height, max: 100_000_000 },
    }),
  );

  it("of 10000 x 10000 are not too many", async () =>
    expect(read({ width: 10_000, height: 10_000, data: rgba() })).rejects.toThrow("need 400000000 RGBA bytes; got 0"));
});

describe("a file that is not a picture", () => {
  const data = rgba(0, 0, 0, 255);
  it.each([
    ["undefined", undefined],
    ["null", null],
    ["a URL", "https://example.org/picture.png"],
    ["a number", 7],
    ["an object", {}],
    ["a list of bytes", [0, 0, 0, 255]],
    ["pixels without a width", { height: 1, data }],
    ["pixels with half a width", { width: 0.5, height: 2, data }],
    ["pixels with a string as width", { width: "1", height: 1, data }],
    ["pixels as a list", { width: 1, height: 1, data: [0, 0, 0, 255] }],
    ["pixels as a DataView", { width: 1, height: 1, data: new DataView(new ArrayBuffer(4)) }],
    ["pixels as floats", { width: 1, height: 1, data: Float32Array.of(0, 0.5, 1, 1) }],
    ["pixels of 16 bits", { width: 1, height: 1, data: new Uint16Array(4) }],
    ["bytes as Uint16Array", new Uint16Array(4)],
  ])("is refused: %s", async (_, input) =>
    expect(read(input)).rejects.toMatchObject({
      code: "invalid-image",
      message: expect.stringMatching(/^A picture must be a Blob, the bytes of an image file, or .* RGBA bytes/),
    }),
  );
});

describe("an abort", () => {
  const reason = new Error("stopped");
  it.each([
    ["a file", Uint8Array.of(1)],
    ["pixels", { width: 1, height: 1, data: rgba(0, 0, 0, 255) }],
  ] as const)("before %s is read throws its reason", async (_, input) => {
    const { codec, decoded } = watchedCodec();
    await expect(readImage(input, codec, AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(decoded).toEqual([]);
  });

  it("while a Blob is read reaches the decoder", async () => {
    const { codec, decoded } = watchedCodec();
    const abort = new AbortController();
    const reading = readImage(new Blob([Uint8Array.of(1)]), codec, abort.signal);
    abort.abort(reason);
    await expect(reading).rejects.toBe(reason);
    expect(decoded).toEqual([]);
  });
});
