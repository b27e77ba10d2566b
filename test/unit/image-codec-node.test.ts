import { crc32 } from "node:zlib";
import sharp, { type Sharp } from "sharp";
import { describe, expect, it } from "vitest";
import { KleinbildError } from "../../runtime/errors.ts";
import { NodeImageCodec } from "../../runtime/node/sharp-image-codec.ts";
import { MAX_PIXELS } from "../../runtime/image/codec.ts";
import type { PixelImage } from "../../runtime/image/pixels.ts";
import { alphaRamp, coordinateImage, inSharp, pixelAt, solidImage } from "../support/images.ts";

const codec = new NodeImageCodec();
const ORANGE = [200, 100, 50, 255] as const;
/** Orange, half of it transparent, on white: 128 / 255 of it and 127 of white. */
const PALE_ORANGE = [227, 177, 152, 255];
/** A picture with a marked corner: red top left, then green, blue; the second row black. */
const CORNERS: PixelImage = {
  width: 3,
  height: 2,
  data: Uint8ClampedArray.of(
    255,
    0,
    0,
    255,
    0,
    255,
    0,
    255,
    0,
    0,
    255,
    255,
    ...[0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255],
  ),
};

async function decode(file: Sharp): Promise<PixelImage> {
  return codec.decode(new Uint8Array(await file.toBuffer()));
}

/** [red, green, blue] or with alpha, in 16 bits, of 2 x 1 pixels. */
function inSharp16(pixel: readonly number[]): Sharp {
  const channels = pixel.length as 3 | 4;
  const values = Uint16Array.from([...pixel, ...pixel], (value) => value * 257);
  return sharp(values, { raw: { width: 2, height: 1, channels } }).toColourspace("rgb16");
}

function expectClose(image: PixelImage, expected: readonly number[], levels: number): void {
  const pixel = pixelAt(image, 0, 0);
  for (const [i, value] of expected.entries()) expect(Math.abs(pixel[i]! - value)).toBeLessThanOrEqual(levels);
  expect(pixel[3]).toBe(255);
  expect(image.data).toHaveLength(image.width * image.height * 4);
}

describe("NodeImageCodec decodes", () => {
  it("PNG and lossless WebP exactly", async () => {
    const image = coordinateImage(37, 21);
    expect(await decode(inSharp(image).png())).toEqual(image);
    expect(await decode(inSharp(image).webp({ lossless: true }))).toEqual(image);
  });

  it("JPEG", async () => expectClose(await decode(inSharp(solidImage(16, 16, ORANGE)).jpeg()), ORANGE, 2));

  it("transparent pixels onto white, rounded as pixels are that are given as such", async () => {
    const { image, onWhite } = alphaRamp();
    expect((await decode(inSharp(image).png())).data).toEqual(onWhite);
  });

  it("a palette with alpha", async () => {
    const file = await inSharp(solidImage(8, 8, [200, 100, 50, 128]))
      .png({ palette: true })
      .toBuffer();
    expect(await sharp(file).metadata()).toMatchObject({ isPalette: true, hasAlpha: true });
    expectClose(await codec.decode(new Uint8Array(file)), PALE_ORANGE, 1);
  });

  it("16 bits a channel, with and without alpha", async () => {
    const file = await inSharp16([200, 100, 50]).png().toBuffer();
    expect(await sharp(file).metadata()).toMatchObject({ depth: "ushort" });
    expectClose(await codec.decode(new Uint8Array(file)), ORANGE, 0);
    expectClose(await decode(inSharp16([200, 100, 50, 128]).png()), PALE_ORANGE, 1);
  });

  it("16 bits a channel with a profile", async () =>
    expectClose(await decode(inSharp16([200, 100, 50]).withIccProfile("p3").png()), ORANGE, 1));

  it("grey, with and without alpha, in 8 and in 16 bits", async () => {
    const grey = inSharp(solidImage(16, 16, [77, 77, 77, 255]))
      .removeAlpha()
      .toColourspace("b-w");
    const file = await grey.clone().png().toBuffer();
    expect(await sharp(file).metadata()).toMatchObject({ channels: 1 });
    expectClose(await codec.decode(new Uint8Array(file)), [77, 77, 77], 0);
    expectClose(await decode(grey.clone().jpeg()), [77, 77, 77], 1);
    expectClose(
      await decode(
        inSharp(solidImage(4, 4, [77, 77, 77, 128]))
          .toColourspace("b-w")
          .png(),
      ),
      [166, 166, 166],
      1,
    );
    const deep = sharp(Uint16Array.of(77 * 257, 77 * 257), { raw: { width: 2, height: 1, channels: 1 } });
    expectClose(await decode(deep.toColourspace("grey16").png()), [77, 77, 77], 0);
  });

  it("a CMYK JPEG, by its colours as seen", async () => {
    const mild = [150, 120, 110, 255] as const; // inside of what CMYK can show
    const file = await inSharp(solidImage(16, 16, mild))
      .toColourspace("cmyk")
      .jpeg({ quality: 100 })
      .toBuffer();
    expect(await sharp(file).metadata()).toMatchObject({ space: "cmyk" });
    expectClose(await codec.decode(new Uint8Array(file)), mild, 6);
  });

  it("another colour profile as sRGB", async () =>
    expectClose(
      await decode(
        inSharp(solidImage(4, 4, ORANGE))
          .withIccProfile("p3")
          .png(),
      ),
      ORANGE,
      1,
    ));

  for (const { orientation, size, topLeft } of [
    { orientation: 1, size: [3, 2], topLeft: [255, 0, 0, 255] },
    { orientation: 2, size: [3, 2], topLeft: [0, 0, 255, 255] },
    { orientation: 3, size: [3, 2], topLeft: [0, 0, 0, 255] },
    { orientation: 5, size: [2, 3], topLeft: [255, 0, 0, 255] },
    { orientation: 6, size: [2, 3], topLeft: [0, 0, 0, 255] },
    { orientation: 8, size: [2, 3], topLeft: [0, 0, 255, 255] },
  ])
    it(`EXIF orientation ${orientation} upright`, async () => {
      const image = await decode(inSharp(CORNERS).withMetadata({ orientation }).png());
      expect([image.width, image.height]).toEqual(size);
      expect(pixelAt(image, 0, 0)).toEqual(topLeft);
    });

  it("an EXIF-rotated JPEG upright", async () => {
    const halves = coordinateImage(32, 16);
    const image = await decode(inSharp(halves).withMetadata({ orientation: 6 }).jpeg());
    expect([image.width, image.height]).toEqual([16, 32]);
    expect(pixelAt(image, 15, 31)[0]).toBeGreaterThan(pixelAt(image, 15, 0)[0]!); // columns now run down
  });

  for (const format of ["webp", "gif"] as const)
    it(`the first picture of an animated ${format}`, async () => {
      const frames = Buffer.from(
        [0, 1].flatMap((frame) =>
          Array(64)
            .fill(frame ? [0, 255, 0] : [255, 0, 0])
            .flat(),
        ),
      );
      const file = await sharp(frames, { raw: { width: 8, height: 16, channels: 3, pageHeight: 8 } })
        .toFormat(format, { lossless: true, delay: [100, 100] })
        .toBuffer();
      expect(await sharp(file).metadata()).toMatchObject({ pages: 2 });
      expect(await codec.decode(new Uint8Array(file))).toEqual(solidImage(8, 8, [255, 0, 0, 255]));
    });
});

describe("NodeImageCodec refuses", () => {
  for (const [name, bytes, start] of [
    ["nothing", [], "nothing"],
    ["text", [...Buffer.from("hello")], "68 65 6c 6c 6f"],
    ["a signature alone", [0xff, 0xd8, 0xff, 0xe0], "ff d8 ff e0"],
  ] as const)
    it(`${name}, and shows the first bytes`, () =>
      expect(codec.decode(Uint8Array.from(bytes))).rejects.toMatchObject({
        code: "invalid-image",
        message: `The bytes are no picture that can be read (PNG, JPEG, WebP); they begin with ${start}.`,
        cause: expect.any(Error),
      }));

  for (const format of ["png", "jpeg", "webp"] as const)
    it(`every truncation of a ${format}, or gives a whole picture`, async () => {
      const file = new Uint8Array(await inSharp(coordinateImage(24, 24)).toFormat(format).toBuffer());
      for (let length = 0; length < file.length; length += 7) {
        const outcome = await codec.decode(file.slice(0, length)).then(
          ({ width, height }) => `${width} x ${height}`,
          (error: unknown) => (error instanceof KleinbildError ? error.code : error),
        );
        expect(["24 x 24", "invalid-image"]).toContain(outcome);
      }
      await expect(codec.decode(file.slice(0, file.length >> 1))).rejects.toMatchObject({ code: "invalid-image" });
    });

  it("more pixels than the limit, from the header alone", async () => {
    const side = Math.ceil(Math.sqrt(MAX_PIXELS)) + 1;
    const file = new Uint8Array(
      await inSharp(solidImage(1, 1, ORANGE))
        .png()
        .toBuffer(),
    );
    const header = new DataView(file.buffer);
    header.setUint32(16, side);
    header.setUint32(20, side);
    header.setUint32(29, crc32(file.subarray(12, 29)));
    await expect(codec.decode(file)).rejects.toMatchObject({
      code: "invalid-image",
      details: { width: side, height: side, max: MAX_PIXELS },
    });
  });
});

describe("NodeImageCodec encodes", () => {
  it("PNG by default, without loss and without an alpha channel", async () => {
    const image = coordinateImage(19, 11);
    const { bytes, type, warnings } = await codec.encode(image);
    expect({ type, warnings }).toEqual({ type: "image/png", warnings: [] });
    expect(await codec.decode(bytes)).toEqual(image);
    expect(await sharp(bytes).metadata()).toMatchObject({ format: "png", channels: 3 });
  });

  for (const type of ["image/jpeg", "image/webp"] as const)
    it(`${type}, the smaller the lower the quality, down to 0`, async () => {
      const image = coordinateImage(64, 64);
      const sizes = [];
      for (const quality of [0, 0.5, 1]) sizes.push((await codec.encode(image, { type, quality })).bytes.length);
      expect(sizes).toEqual(sizes.toSorted((a, b) => a - b));
      expect(sizes[0]).toBeLessThan(sizes[2]!);
      expect(await codec.encode(image, { type })).toEqual(await codec.encode(image, { type, quality: 0.9 }));
    });

  it("a view into more pixels by its own", async () => {
    const { width, height, data } = coordinateImage(8, 8);
    const buffer = new Uint8ClampedArray(data.length + 32).fill(9);
    buffer.set(data, 16);
    const view = { width, height, data: buffer.subarray(16, 16 + data.length) };
    expect(await codec.encode(view)).toEqual(await codec.encode({ width, height, data }));
  });

  for (const quality of [-0.01, 1.01, Number.NaN, null, true, "0.5"])
    it(`no quality of ${typeof quality} ${quality}`, () =>
      expect(codec.encode(CORNERS, { quality: quality as number })).rejects.toMatchObject({
        code: "invalid-request",
        message: `quality must be between 0 and 1; got ${quality}.`,
        details: { parameter: "quality" },
      }));

  it("no other type", () =>
    expect(codec.encode(CORNERS, { type: "image/gif" as never })).rejects.toMatchObject({
      code: "invalid-request",
      message: "type must be image/png, image/jpeg or image/webp; got image/gif.",
      details: { parameter: "type" },
    }));
});
