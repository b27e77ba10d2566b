import sharp from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import { NodeImageCodec } from "../../runtime/node/sharp-image-codec.ts";
import { type ImageMetadata, readMetadata, writeMetadata } from "../../runtime/image/metadata.ts";
import { insertPngXmp } from "../../runtime/image/png.ts";
import { coordinateImage, inSharp } from "../support/images.ts";

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
/** XML 1.0 has no place for most of these, and UTF-8 none for the last. */
const AWKWARD = ["\0", "\u001b", "\u0085", "\u2028", "\ufeff", "\ufffe", "\uffff", "\ud800"];
const LONG_PROMPT = "ä🦊 on a hill,\n".repeat(7200);

const codec = new NodeImageCodec();
const IMAGE = coordinateImage(METADATA.width, METADATA.height);

describe.each(TYPES)("metadata in %s", (type) => {
  let bare: Uint8Array<ArrayBuffer>;
  beforeAll(async () => {
    bare = (await codec.encode(IMAGE, { type })).bytes;
  });
  const write = (metadata: ImageMetadata = METADATA): Uint8Array<ArrayBuffer> => writeMetadata(bare, type, metadata);

  it("comes back as it was, from bytes, a view into more bytes, an ArrayBuffer and a Blob", async () => {
    const bytes = write();
    const shifted = new Uint8Array(bytes.length + 7);
    shifted.set(bytes, 3);
    for (const file of [bytes, shifted.subarray(3, 3 + bytes.length), bytes.buffer, new Blob([bytes])])
      expect(await readMetadata(file)).toEqual(METADATA);
  });

  it("needs no guidance", async () => {
    const { guidance: _guidance, negativePrompt: _negativePrompt, ...metadata } = METADATA;
    expect(await readMetadata(write(metadata))).toEqual(metadata);
  });

  for (const prompt of ["", "\n", "&amp;&#13;&lt;", "</kleinbild:settings>", "]]>", ...AWKWARD])
    it(`keeps the prompt ${JSON.stringify(prompt)}`, async () => {
      const metadata = { ...METADATA, prompt: `a${prompt}b`, negativePrompt: prompt };
      expect(await readMetadata(write(metadata))).toEqual(metadata);
    });

  // XMP of 65 504 bytes is the most that a JPEG's segment holds: both sides of it, prompts being written twice
  for (const length of [32_000, 32_200, 32_300, 32_600, 100_000, 300_000])
    it(`keeps a prompt of ${length} characters`, async () => {
      const metadata = { ...METADATA, prompt: "x".repeat(length) };
      const bytes = write(metadata);
      expect(await readMetadata(bytes)).toEqual(metadata);
      expect(await decoded(bytes)).toEqual(await decoded(bare));
    });

  it("keeps a prompt of 100 000 characters of several bytes", async () => {
    const metadata = { ...METADATA, prompt: LONG_PROMPT };
    expect(LONG_PROMPT.length).toBeGreaterThan(100_000);
    expect(await readMetadata(write(metadata))).toEqual(metadata);
  });

  it("leaves a valid file with the same pixels, in which other software finds prompt and software", async () => {
    const bytes = write();
    expect(await decoded(bytes)).toEqual(await decoded(bare));
    const { xmpAsString, width, height } = await sharp(bytes).metadata();
    expect([width, height]).toEqual([METADATA.width, METADATA.height]);
    expect(xmpAsString).toContain("<xmp:CreatorTool>kleinbild</xmp:CreatorTool>");
    expect(xmpAsString).toContain('<rdf:li xml:lang="x-default">a 🦊 &amp; a &lt;b&gt;"cat"');
  });

  it("is undefined in a file without it", async () => expect(await readMetadata(bare)).toBeUndefined());

  for (const [name, prompt, step] of [
    ["short", METADATA.prompt, 1],
    ["long", LONG_PROMPT, 997],
  ] as const)
    it(`of ${name} prompts is whole or undefined in every truncation`, async () => {
      const metadata = { ...METADATA, prompt };
      const bytes = write(metadata);
      for (let length = 0; length < bytes.length; length += step)
        expect([undefined, metadata]).toContainEqual(await readMetadata(bytes.subarray(0, length)));
      expect(await readMetadata(bytes.subarray(0, 200))).toBeUndefined();
    });

  it("is never an error when a byte is another", async () => {
    const bytes = write();
    for (let at = 0; at < bytes.length; at++)
      for (const flip of [0x01, 0xff]) {
        const damaged = bytes.slice();
        damaged[at]! ^= flip;
        const { prompt, seed } = (await readMetadata(damaged)) ?? METADATA;
        expect(prompt).toBeTypeOf("string");
        expect(seed).toMatch(/^\d+$/);
      }
  });

  for (const wrong of [{ steps: "four" }, { seed: "-1" }, { seed: 1 }, { noise: "pink" }, { negativePrompt: null }])
    it(`is not trusted: ${JSON.stringify(wrong)} makes it undefined`, async () =>
      expect(await readMetadata(write({ ...METADATA, ...wrong } as unknown as ImageMetadata))).toBeUndefined());

  it("is read from packets that other software has rewritten", async () => {
    const settings = JSON.stringify(METADATA).replaceAll("&", "&#38;").replaceAll("<", "&#x3C;");
    for (const property of [
      `><k:other/><kleinbild:settings>${settings.replaceAll('"', "&#34;")}</kleinbild:settings></rdf:Description>`,
      ` kleinbild:settings="${settings.replaceAll('"', "&quot;")}"/>`,
      ` kleinbild:settings='${settings.replaceAll("'", "&apos;")}'/>`,
    ])
      expect(await readMetadata(await foreign(type, property))).toEqual(METADATA);
  });

  it("is undefined in packets of others, and for references to no character", async () => {
    expect(await readMetadata(await foreign(type, "/>"))).toBeUndefined();
    for (const settings of ["{}", "&#x110000;", "&#9999999;", "&nothing;", "[".repeat(20_000)])
      expect(await readMetadata(await foreign(type, ` kleinbild:settings="${settings}"/>`))).toBeUndefined();
  });
});

describe("metadata in JPEG beyond one segment", () => {
  const metadata = { ...METADATA, prompt: LONG_PROMPT };
  let segments: Uint8Array[];
  beforeAll(async () => {
    segments = splitJpeg(
      writeMetadata((await codec.encode(IMAGE, { type: "image/jpeg" })).bytes, "image/jpeg", metadata),
    );
  });
  const isExtension = (segment: Uint8Array): boolean =>
    Buffer.from(segment.subarray(4, 38)).toString("latin1") === "http://ns.adobe.com/xmp/extension/";
  const read = (parts: readonly Uint8Array[]): Promise<ImageMetadata | undefined> => readMetadata(Buffer.concat(parts));

  it("may be in several extension segments, in any order", async () => {
    const extensions = segments.filter(isExtension);
    expect(extensions.length).toBeGreaterThan(2);
    const others = segments.filter((segment) => !isExtension(segment));
    expect(await read([others[0]!, ...extensions.toReversed(), ...others.slice(1)])).toEqual(metadata);
  });

  it("is undefined when one of them is missing, there twice, or of another name", async () => {
    const at = segments.findIndex(isExtension);
    expect(await read(segments.toSpliced(at, 1))).toBeUndefined();
    expect(await read(segments.toSpliced(at, 0, segments[at]!))).toBeUndefined();
    const renamed = segments[at]!.slice();
    renamed[45] = "x".charCodeAt(0);
    expect(await read(segments.with(at, renamed))).toBeUndefined();
  });

  it("is found after fill bytes", async () =>
    expect(
      await read(segments.flatMap((segment, i) => (i ? [Uint8Array.of(0xff, 0xff), segment] : [segment]))),
    ).toEqual(metadata));

  it("is undefined, and no overflow of the stack, with more portions than a call takes arguments", async () => {
    const portion = segments.find(isExtension);
    const count = 200_000;
    const bytesEach = 80;
    const portions = Buffer.alloc(count * bytesEach, portion!.subarray(0, bytesEach));
    for (let i = 0; i < count; i++) {
      portions.writeUInt16BE(bytesEach - 2, i * bytesEach + 2);
      portions.writeUInt32BE(count, i * bytesEach + 71);
      portions.writeUInt32BE(i, i * bytesEach + 75);
    }
    const others = segments.filter((segment) => !isExtension(segment));
    expect(await read([...others.slice(0, -1), portions, ...others.slice(-1)])).toBeUndefined();
  });
});

describe("metadata in losslessly coded WebP", () => {
  for (const alpha of [255, 128])
    it(`leaves a valid file with the same pixels of alpha ${alpha}`, async () => {
      const data = IMAGE.data.map((value, i) => (i % 4 === 3 ? alpha : value));
      const bare = new Uint8Array(
        await inSharp({ ...IMAGE, data })
          .webp({ lossless: true, exact: true })
          .toBuffer(),
      );
      expect(Buffer.from(bare.subarray(12, 16)).toString()).toBe("VP8L");
      const bytes = writeMetadata(bare, "image/webp", METADATA);
      expect(await readMetadata(bytes)).toEqual(METADATA);
      expect(await decoded(bytes)).toEqual(await decoded(bare));
      expect(await sharp(bytes).metadata()).toMatchObject({ width: 33, height: 17, hasAlpha: alpha < 255 });
    });

  it("keeps the fields of an extended header", async () => {
    const bare = new Uint8Array(await inSharp(IMAGE).withMetadata({ orientation: 6 }).webp().toBuffer());
    expect(Buffer.from(bare.subarray(12, 16)).toString()).toBe("VP8X");
    const bytes = writeMetadata(bare, "image/webp", METADATA);
    expect(await readMetadata(bytes)).toEqual(METADATA);
    expect(await sharp(bytes).metadata()).toMatchObject({ orientation: 6 });
  });
});

it("metadata of other files and of nothing is undefined", async () => {
  const signatures = [[0xff, 0xd8], [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a], [...Buffer.from("RIFF    WEBP")]];
  for (const bytes of [[], new Uint8Array(100), Buffer.from("GIF89a"), ...signatures])
    for (const rest of [0, 1, 64]) {
      const file = Uint8Array.from([...bytes, ...new Uint8Array(rest).fill(0xff)]);
      expect(await readMetadata(file)).toBeUndefined();
    }
});

function decoded(file: Uint8Array): Promise<Buffer> {
  return sharp(file, { failOn: "warning" }).raw().toBuffer();
}

/** A file with a packet whose description goes on as given. */
async function foreign(type: (typeof TYPES)[number], description: string): Promise<Uint8Array> {
  const rdf = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
  const xmp = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="${rdf}"><rdf:Description xmlns:kleinbild="urn:kleinbild:settings:1:"${description}</rdf:RDF></x:xmpmeta>`;
  // sharp writes a PNG's packet compressed, which the standard does not provide for
  if (type === "image/png") return insertPngXmp((await codec.encode(IMAGE)).bytes, xmp);
  return inSharp(IMAGE)
    .withXmp(xmp)
    .toFormat(type === "image/jpeg" ? "jpeg" : "webp")
    .toBuffer();
}

/** The start of the image, its segments before the scan, and the rest. */
function splitJpeg(bytes: Uint8Array): Uint8Array[] {
  const parts = [bytes.subarray(0, 2)];
  let at = 2;
  while (bytes[at + 1] !== 0xda) {
    const end = at + 2 + ((bytes[at + 2]! << 8) | bytes[at + 3]!);
    parts.push(bytes.subarray(at, end));
    at = end;
  }
  return [...parts, bytes.subarray(at)];
}
