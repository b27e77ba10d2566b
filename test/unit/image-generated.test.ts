import { describe, expect, it } from "vitest";
import { NodeImageCodec } from "../../runtime/node/sharp-image-codec.ts";
import type { ImageCodec } from "../../runtime/image/codec.ts";
import { GeneratedImage } from "../../runtime/image/generated.ts";
import { type ImageMetadata, readMetadata } from "../../runtime/image/metadata.ts";
import { coordinateImage } from "../support/images.ts";

const METADATA: ImageMetadata = {
  software: "kleinbild",
  model: "klein-nano",
  prompt: "a fox 🦊",
  seed: "7",
  noise: "counter",
  steps: 4,
  width: 32,
  height: 16,
};
const PIXELS = coordinateImage(32, 16);
const codec = new NodeImageCodec();
const image = new GeneratedImage(PIXELS, METADATA, codec);

/** A browser that can write PNG only. */
const pngOnly: ImageCodec = {
  decode: (bytes) => codec.decode(bytes),
  encode: async (pixels) => ({ ...(await codec.encode(pixels)), warnings: ["This browser cannot write it."] }),
};

describe("GeneratedImage", () => {
  it("has the picture's size, pixels and metadata", () => {
    expect([image.width, image.height]).toEqual([32, 16]);
    expect(image.pixels).toBe(PIXELS);
    expect(image.metadata).toBe(METADATA);
  });

  for (const type of ["image/png", "image/jpeg", "image/webp"] as const) {
    it(`is encoded as ${type} with its metadata`, async () => {
      const { bytes, ...rest } = await image.encode({ type });
      expect(rest).toEqual({ type, warnings: [] });
      expect(await readMetadata(bytes)).toEqual(METADATA);
      expect(await codec.decode(bytes)).toMatchObject({ width: 32, height: 16 });
    });

    it(`is encoded as ${type} without it when that is asked for`, async () => {
      const encoded = await image.encode({ type, metadata: false });
      expect(encoded).toEqual(await codec.encode(PIXELS, { type }));
      expect(await readMetadata(encoded.bytes)).toBeUndefined();
      expect(encoded.bytes.length).toBeLessThan((await image.encode({ type, metadata: true })).bytes.length);
    });
  }

  it("is PNG by default, without loss", async () => {
    const { bytes, type } = await image.encode();
    expect(type).toBe("image/png");
    expect(await codec.decode(bytes)).toEqual(PIXELS);
  });

  it("passes the quality on", async () => {
    const size = async (quality: number): Promise<number> => (await image.toBlob({ type: "image/jpeg", quality })).size;
    expect(await size(0.1)).toBeLessThan(await size(1));
  });

  it("becomes a Blob of its type", async () => {
    const blob = await image.toBlob({ type: "image/webp" });
    expect(blob.type).toBe("image/webp");
    expect(await readMetadata(blob)).toEqual(METADATA);
  });

  it("is a PNG with metadata and a warning where the platform cannot write the type", async () => {
    const limited = new GeneratedImage(PIXELS, METADATA, pngOnly);
    const { bytes, type, warnings } = await limited.encode({ type: "image/webp" });
    expect({ type, warnings }).toEqual({ type: "image/png", warnings: ["This browser cannot write it."] });
    expect(await readMetadata(bytes)).toEqual(METADATA);
    expect((await limited.toBlob({ type: "image/webp" })).type).toBe("image/png");
  });

  it("refuses a type or quality that does not exist", async () => {
    for (const options of [{ type: "image/gif" as never }, { quality: 1.01 }]) {
      const refusal = { code: "invalid-request", details: { parameter: Object.keys(options)[0] } };
      await expect(image.encode(options)).rejects.toMatchObject(refusal);
      await expect(image.toBlob(options)).rejects.toMatchObject(refusal);
    }
  });

  it("says that Node has no ImageData and no ImageBitmap, and what to use instead", async () => {
    const refusal = { code: "unsupported", message: expect.stringContaining("take `pixels` or `encode()`") };
    expect(() => image.toImageData()).toThrowError(expect.objectContaining(refusal));
    await expect(image.toImageBitmap()).rejects.toMatchObject(refusal);
  });
});
