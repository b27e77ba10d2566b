import { describe, expect, it } from "vitest";
import type { PixelImage } from "../../runtime/image/pixels.ts";
import { prepareReference } from "../../runtime/image/prepare.ts";

/** A picture of `colour` at each position, as red + 256 · green + 65536 · blue. */
function picture(width: number, height: number, colour: (x: number, y: number) => number): PixelImage {
  const pixels = new Uint32Array(width * height);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) pixels[y * width + x] = colour(x, y) + 255 * 2 ** 24;
  return { width, height, data: new Uint8ClampedArray(pixels.buffer) };
}

/** Every pixel says where it is: column and row modulo 256, then the higher bits of both. */
function coordinates(width: number, height: number): PixelImage {
  return picture(width, height, (x, y) => (x % 256) + ((y % 256) << 8) + (((x >> 8) * 16 + (y >> 8)) << 16));
}

const equal = (a: Uint8ClampedArray, b: Uint8ClampedArray): boolean => Buffer.from(a).equals(Buffer.from(b));

/** Column and row of a picture made by `coordinates` that now lie in the given place. */
function sourceOf({ width, data }: PixelImage, x: number, y: number): readonly [x: number, y: number] {
  const [low = 0, lowRow = 0, high = 0] = data.subarray((y * width + x) * 4);
  return [low + (high >> 4) * 256, lowRow + (high % 16) * 256];
}

const ORANGE = 200 + (100 << 8) + (50 << 16);

function plain(width: number, height: number): PixelImage {
  return picture(width, height, () => ORANGE);
}

const sizeAfter = async (width: number, height: number): Promise<readonly [number, number]> => {
  const prepared = await prepareReference(plain(width, height));
  expect(prepared.data).toHaveLength(prepared.width * prepared.height * 4);
  return [prepared.width, prepared.height];
};

describe("sides", () => {
  it.each([
    [64, 64],
    [64, 80],
    [80, 64],
  ])("of %d x %d are enough", async (width, height) => expect(await sizeAfter(width, height)).toEqual([width, height]));

  it.each([
    [63, 63],
    [63, 64],
    [64, 63],
    [1, 1],
  ])("of %d x %d are too short", async (width, height) =>
    expect(prepareReference(plain(width, height))).rejects.toMatchObject({
      code: "invalid-image",
      message: `A reference needs sides of at least 64 pixels; got ${width} x ${height}.`,
      details: { width, height, min: 64 },
    }),
  );
});

describe("the aspect ratio", () => {
  it.each([
    [512, 64],
    [64, 512],
    [519, 65], // 7.98
  ])("may be 8 at most: %d x %d", async (width, height) =>
    expect(await sizeAfter(width, height)).toEqual([width, height].map((side) => side - (side % 16))),
  );

  it.each([
    [513, 64],
    [64, 513],
    [521, 65],
    [64, 8000],
  ])("is refused above 8: %d x %d", async (width, height) =>
    expect(prepareReference(plain(width, height))).rejects.toMatchObject({
      code: "invalid-image",
      message: expect.stringMatching(new RegExp(`8 times.*${width} x ${height}`)),
      details: { width, height, max: 8 },
    }),
  );
});

describe("the area", () => {
  it.each([
    [1024, 1024],
    [2048, 512],
    [512, 2048],
  ])("of %d x %d is 1024² and left as it is", async (width, height) => {
    const image = coordinates(width, height);
    expect(await prepareReference(image)).toBe(image);
  });

  it("of 1023 x 1025 is below 1024²: it is only cropped, by 7 columns on the left and no row at the top", async () => {
    const prepared = await prepareReference(coordinates(1023, 1025));
    expect([prepared.width, prepared.height]).toEqual([1008, 1024]);
    expect(sourceOf(prepared, 0, 0)).toEqual([7, 0]);
    expect(sourceOf(prepared, 1007, 1023)).toEqual([1014, 1023]);
  });

  it.each([
    [1025, 1024, 1024, 1008], // scaled to 1024 x 1023
    [1024, 1025, 1008, 1024], // 1023 x 1024
    [2048, 2048, 1024, 1024],
    [4096, 1024, 2048, 512],
    [1500, 1100, 1184, 864], // 1195 x 876
    [2400, 400, 2400, 400], // 960,000 pixels
    [2900, 400, 2752, 368], // 2757 x 380
  ])("of %d x %d gives %d x %d", async (width, height, ...expected) =>
    expect(await sizeAfter(width, height)).toEqual(expected),
  );

  it("is brought down by an average, not by leaving pixels out", async () => {
    const striped = picture(2048, 1024, (x) => (x % 2 === 0 ? 0xffffff : 0));
    const { width, data } = await prepareReference(striped);
    const red = Array.from({ length: width - 32 }, (_, i) => data[(500 * width + 16 + i) * 4]!);
    expect(Math.min(...red)).toBeGreaterThan(64);
    expect(Math.max(...red)).toBeLessThan(191);
  });

  it("brought down leaves one colour that colour, opaque", async () => {
    const { width, height, data } = await prepareReference(plain(1500, 1100));
    expect(equal(data, plain(width, height).data)).toBe(true);
  });

  it("brought down keeps left, right, top and bottom where they are", async () => {
    const ramps = picture(2048, 1024, (x, y) => (x >> 3) + ((y >> 2) << 8));
    const { width, height, data } = await prepareReference(ramps);
    for (const [fx, fy] of [
      [0.25, 0.25],
      [0.75, 0.25],
      [0.25, 0.75],
    ] as const) {
      const at = (Math.floor(fy * height) * width + Math.floor(fx * width)) * 4;
      expect(data[at]! / 256).toBeCloseTo(fx, 1);
      expect(data[at + 1]! / 256).toBeCloseTo(fy, 1);
    }
  });

  it("is taken of a view into a larger buffer", async () => {
    const image = coordinates(1100, 1000);
    const larger = new Uint8ClampedArray(image.data.length + 16);
    larger.set(image.data, 8);
    const ofView = await prepareReference({ ...image, data: larger.subarray(8, 8 + image.data.length) });
    expect(equal(ofView.data, (await prepareReference(image)).data)).toBe(true);
  });
});

describe("the crop to multiples of 16", () => {
  it.each([
    // width, height, width and height left, first column and row left
    [64, 64, 64, 64, 0, 0],
    [65, 64, 64, 64, 0, 0],
    [66, 64, 64, 64, 1, 0],
    [64, 67, 64, 64, 0, 1],
    [79, 79, 64, 64, 7, 7],
    [80, 79, 80, 64, 0, 7],
    [130, 97, 128, 96, 1, 0],
    [300, 111, 288, 96, 6, 7],
  ])("of %d x %d leaves %d x %d from column %d and row %d on", async (width, height, left, top, x, y) => {
    const prepared = await prepareReference(coordinates(width, height));
    expect([prepared.width, prepared.height]).toEqual([left, top]);
    for (const [column, row] of [
      [0, 0],
      [left - 1, 0],
      [0, top - 1],
      [left - 1, top - 1],
    ] as const)
      expect(sourceOf(prepared, column, row)).toEqual([x + column, y + row]);
  });

  it("and the scaling leave the picture given as it is", async () => {
    for (const [width, height] of [
      [79, 79],
      [1100, 1000],
    ] as const) {
      const image = coordinates(width, height);
      await prepareReference(image);
      expect(equal(image.data, coordinates(width, height).data)).toBe(true);
    }
  });
});
