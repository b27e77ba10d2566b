import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { NodeImageCodec } from "../../runtime/image/codec-node.ts";
import { GeneratedImage } from "../../runtime/image/generated.ts";
import { type ImageMetadata, readMetadata } from "../../runtime/image/metadata.ts";
import { randomPicture } from "../support/nano.ts";

const TYPES = ["image/png", "image/jpeg", "image/webp"] as const;
const METADATA: ImageMetadata = {
  software: "kleinbild",
  model: "klein-nano",
  prompt: 'a 🦊 & a <b>"cat"</b>\r\n\ton ü \u0001 ]]> background',
  negativePrompt: "",
  guidance: 3.5,
  seed: "9223372036854775807",
  noise: "torch",
  steps: 4,
  width: 33,
  height: 17,
};

function picture(metadata: ImageMetadata = METADATA): GeneratedImage {
  return new GeneratedImage(randomPicture(1, metadata.width, metadata.height), metadata, new NodeImageCodec());
}

describe.each(TYPES)("metadata in %s", (type) => {
  it("comes back as it was, from bytes, a view into more bytes, and a Blob", async () => {
    const encoded = await picture().encode({ type });
    expect(encoded).toMatchObject({ type, warnings: [] });
    expect(await readMetadata(encoded.bytes)).toEqual(METADATA);
    const shifted = new Uint8Array(encoded.bytes.length + 7);
    shifted.set(encoded.bytes, 3);
    expect(await readMetadata(shifted.subarray(3, 3 + encoded.bytes.length))).toEqual(METADATA);
    expect(await readMetadata(await picture().toBlob({ type }))).toEqual(METADATA);
  });

  it("leaves a valid file with the same pixels, in which other software finds the packet", async () => {
    const generated = picture();
    const { bytes } = await generated.encode({ type });
    const bare = await new NodeImageCodec().encode(generated.pixels, { type });
    const pixels = (file: Uint8Array): Promise<Buffer> => sharp(file, { failOn: "warning" }).raw().toBuffer();
    expect(await pixels(bytes)).toEqual(await pixels(bare.bytes));
    const { xmpAsString } = await sharp(bytes).metadata();
    expect(xmpAsString).toContain("<xmp:CreatorTool>kleinbild</xmp:CreatorTool>");
    expect(xmpAsString).toContain("a 🦊 &amp; a &lt;b&gt;");
  });

  it("is undefined, not an error, in files without it and in every truncation", async () => {
    const { bytes } = await picture().encode({ type });
    const bare = await new NodeImageCodec().encode(picture().pixels, { type });
    expect(await readMetadata(bare.bytes)).toBeUndefined();
    for (let length = 0; length < bytes.length; length++)
      expect([undefined, METADATA]).toContainEqual(await readMetadata(bytes.subarray(0, length)));
    expect(await readMetadata(bytes.subarray(0, 200))).toBeUndefined();
  });

  it("takes a prompt of over 28 000 bytes", async () => {
    const long = { ...METADATA, prompt: "ä🦊".repeat(4800) }; // written twice, as description and in the settings
    expect(await readMetadata(await picture(long).toBlob({ type }))).toEqual(long);
  });
});

describe("metadata", () => {
  it("too long for JPEG is left out with a warning, and the picture is not lost", async () => {
    const long = { ...METADATA, prompt: "a".repeat(70_000) };
    const { bytes, warnings } = await picture(long).encode({ type: "image/jpeg" });
    expect(warnings).toEqual([expect.stringContaining("too long for image/jpeg")]);
    expect(await sharp(bytes).metadata()).toMatchObject({ format: "jpeg", width: 33, height: 17 });
  });

  it("of other files, of foreign packets and of nothing is undefined", async () => {
    for (const bytes of [new Uint8Array(0), new Uint8Array(100), new TextEncoder().encode("GIF89a")])
      expect(await readMetadata(bytes)).toBeUndefined();
    const foreign = await sharp(Buffer.alloc(48), { raw: { width: 4, height: 4, channels: 3 } })
      .withXmp("<x:xmpmeta xmlns:x='adobe:ns:meta/'><kleinbild:settings>{}</kleinbild:settings></x:xmpmeta>")
      .png()
      .toBuffer();
    expect(await readMetadata(foreign)).toBeUndefined();
  });

  it("is not trusted: fields of other types make it undefined", async () => {
    const { bytes } = await picture({ ...METADATA, steps: "four" as unknown as number }).encode();
    expect(await readMetadata(bytes)).toBeUndefined();
  });
});

describe("a generated image", () => {
  it("says that Node has no ImageBitmap", async () => {
    await expect(picture().toImageBitmap()).rejects.toMatchObject({ code: "unsupported" });
  });

  it("refuses a type or quality that does not exist", async () => {
    await expect(picture().encode({ type: "image/gif" as never })).rejects.toMatchObject({ code: "invalid-request" });
    await expect(picture().encode({ quality: 1.01 })).rejects.toMatchObject({ details: { parameter: "quality" } });
  });
});
