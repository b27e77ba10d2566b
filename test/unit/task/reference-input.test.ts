import fc from "fast-check";
import sharp from "sharp";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type ApiError, TaskError } from "../../../runtime/task/schema/api-error.ts";
import { readImageHeader } from "../../../runtime/task/media/image-header.ts";
import { uploadImage } from "../../../runtime/task/runner/image-upload.ts";
import { MediaStore } from "../../../runtime/task/media/media-store.ts";
import { ObjectUrls } from "../../../runtime/page/object-urls.ts";
import {
  type ReferenceOptions,
  resolvePicture,
  resolveReference,
  resolveReferences,
} from "../../../runtime/task/media/reference-input.ts";
import { bytes, redirect, stall, status, TestServer } from "./http-server.ts";
import { deferred } from "../../support/deferred.ts";

type Format = "png" | "jpeg" | "webp";

async function picture(format: Format, width = 20, height = 10): Promise<Uint8Array> {
  const image = sharp({ create: { width, height, channels: 3, background: "#c04020" } });
  return new Uint8Array(await image.toFormat(format).toBuffer());
}

/** The first bytes of a PNG (ISO/IEC 15948): signature, then IHDR with width and height. */
function pngHeader(width: number, height: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(33));
  view.setBigUint64(0, 0x89504e470d0a1a0an);
  view.setUint32(8, 13);
  view.setUint32(12, 0x49484452);
  view.setUint32(16, width);
  view.setUint32(20, height);
  return new Uint8Array(view.buffer);
}

const base64 = (data: Uint8Array): string => Buffer.from(data).toString("base64");
const REASON = new Error("enough");
const FIELD = "inputs.referenceImages";

let png: Uint8Array;
let store: MediaStore;
let server: TestServer;
beforeAll(async () => {
  png = await picture("png");
  server = await TestServer.start();
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(() => {
  store = new MediaStore({ urls: new ObjectUrls() });
  server.routes = { "/a.png": bytes(png) };
  server.seen = [];
});

const resolve = (input: string, options: Partial<ReferenceOptions> = {}): Promise<Uint8Array> =>
  resolveReference(input, { store, ...options });

async function errorOf(promise: Promise<unknown>): Promise<ApiError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(TaskError);
  const { errors } = error as TaskError;
  expect(errors).toHaveLength(1);
  return errors[0]!;
}

describe("resolveReference", () => {
  it("finds an earlier picture by its UUID, in either case", async () => {
    const { uuid } = store.put(png, "image/png");
    expect(await resolve(uuid)).toEqual(png);
    expect(await resolve(` ${uuid.toUpperCase()}\n`)).toEqual(png);
  });

  it("says that a UUID is unknown, be it of another version", async () => {
    for (const uuid of [crypto.randomUUID(), "01890a5d-ac96-774b-bcce-b302099a8057"]) {
      const error = await errorOf(resolve(uuid, { parameter: `${FIELD}[1]` }));
      expect(error).toMatchObject({ code: "failedToTransferImage", parameter: `${FIELD}[1]`, type: "string" });
      expect(error.message).toContain(`no picture with the UUID ${uuid}`);
    }
  });

  it("fetches an address", async () => {
    expect(await resolve(`${server.origin}/a.png`)).toEqual(png);
  });

  it("reads an object URL, until it is revoked or where it is refused", async () => {
    const url = URL.createObjectURL(new Blob([new Uint8Array(png)]));
    expect(await resolve(url)).toEqual(png);
    expect((await errorOf(resolve(url, { limits: { maxBytes: 10 } }))).max).toBe(10);
    expect((await errorOf(resolve(url, { allowHost: () => false }))).code).toBe("invalidReferenceImages");
    URL.revokeObjectURL(url);
    const error = await errorOf(resolve(url));
    expect(error).toMatchObject({ code: "failedToTransferImage", parameter: FIELD });
    expect(error.message).toContain("revoked");
  });

  it("finds a picture by the address that the store gave it, without asking for it", async () => {
    const { uuid } = store.put(png, "image/png");
    const url = store.urlOf(uuid)!;
    const fetch = (): Promise<Response> => Promise.reject(REASON);
    expect(await resolve(url, { fetch, allowHost: () => false })).toEqual(png);
  });

  it("reads data URIs: base64, percent-encoded base64, percent-encoded bytes, whatever the type says", async () => {
    const text = base64(png);
    const percent = [...png].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
    for (const uri of [
      `data:image/png;base64,${text}`,
      `DATA:image/jpeg;charset=utf-8;BASE64,${text}`,
      `data:;base64,${text}`,
      `data:image/png;base64,${encodeURIComponent(text)}`,
      `data:image/png,${percent}`,
    ])
      expect([...(await resolve(uri))]).toEqual([...png]);
  });

  it("reads base64 of any picture, in either alphabet, padded or not, with white space", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 100 }),
        fc.constantFrom("base64", "base64url"),
        fc.boolean(),
        fc.integer({ min: 1, max: 80 }),
        async (tail, alphabet, padded, line) => {
          const file = Buffer.concat([pngHeader(64, 64), tail]);
          const text = file.toString(alphabet).replaceAll("=", "");
          const given = padded ? text.padEnd(Math.ceil(text.length / 4) * 4, "=") : text;
          const lines = given.match(new RegExp(`.{1,${line}}`, "g"))!;
          expect([...(await resolve(lines.join("\r\n")))]).toEqual([...file]);
        },
      ),
    );
  });

  it("takes a JPEG's base64, which begins with a slash, for base64 with and without a base address", async () => {
    const jpeg = await picture("jpeg");
    expect(base64(jpeg)).toMatch(/^\/9j\//);
    expect(await resolve(base64(jpeg))).toEqual(jpeg);
    expect(await resolve(base64(jpeg), { baseUrl: server.origin })).toEqual(jpeg);
  });

  for (const relative of ["./a.png", "../a.png", "/a.png"])
    it(`resolves ${relative} against a base address only`, async () => {
      expect(await resolve(relative, { baseUrl: `${server.origin}/b/../` })).toEqual(png);
      expect((await errorOf(resolve(relative))).message).toContain("base64 is invalid");
    });

  for (const [input, problem] of [
    ["", "is empty"],
    [" \n", "is empty"],
    ["cat.png", 'base64 is invalid at position 3: "."'],
    ["iVBORw0KGgo=%", 'base64 is invalid at position 12: "%"'],
    ["data:image/png;base64", "no comma"],
    ["data:image/png;base64,iVBO*", 'base64 is invalid at position 4: "*"'],
    ["file:///home/cat.png", "only http and https"],
    ["C:\\cat.png", "only http and https"],
  ] as const)
    it(`says what is wrong with ${JSON.stringify(input)}`, async () => {
      const error = await errorOf(resolve(input, { parameter: `${FIELD}[3]` }));
      expect(error).toMatchObject({ code: "invalidReferenceImages", parameter: `${FIELD}[3]`, type: "string" });
      expect(error.message).toContain(problem);
      expect(error.message.startsWith(`${FIELD}[3]: `)).toBe(true);
    });

  for (const [name, handler, timeoutMs, problem] of [
    ["answers with an error", status(404), 10_000, "answered with status 404"],
    ["redirects for ever", redirect("/x"), 10_000, "redirects more than 2 times"],
    ["says nothing", stall(), 50, "within 0.05 s"],
  ] as const)
    it(`names the host of a server that ${name}`, async () => {
      server.routes = { "/x": handler };
      const limits = { maxRedirects: 2, timeoutMs };
      const error = await errorOf(resolve(`${server.origin}/x`, { limits, parameter: `${FIELD}[0]` }));
      expect(error).toMatchObject({ code: "failedToTransferImage", parameter: `${FIELD}[0]` });
      expect(error.message).toContain(`127.0.0.1:${server.port}`);
      expect(error.message).toContain(problem);
    });

  it("says that a host is refused", async () => {
    const error = await errorOf(resolve(`${server.origin}/a.png`, { allowHost: () => false }));
    expect(error.code).toBe("invalidReferenceImages");
    expect(server.seen).toEqual([]);
  });

  for (const [name, input] of [
    ["base64", (): string => base64(png)],
    ["a data URI", (): string => `data:image/png;base64,${base64(png)}`],
    ["an address", (): string => `${server.origin}/a.png`],
  ] as const)
    it(`takes ${name} of as many bytes as allowed and not one more`, async () => {
      expect(await resolve(input(), { limits: { maxBytes: png.length } })).toEqual(png);
      const error = await errorOf(resolve(input(), { limits: { maxBytes: png.length - 1 } }));
      expect(error).toMatchObject({ code: "invalidReferenceImages", max: png.length - 1 });
    });

  it("takes as many pixels as allowed and not one more", async () => {
    const square = base64(pngHeader(8000, 8000));
    expect(await resolve(square)).toHaveLength(33);
    const error = await errorOf(resolve(base64(pngHeader(8000, 8001))));
    expect(error).toMatchObject({ code: "invalidReferenceImages", max: 64_000_000 });
    expect(error.message).toContain("8000 x 8001 pixels");
    expect(await resolve(base64(png), { limits: { maxPixels: 200 } })).toEqual(png);
    expect((await errorOf(resolve(base64(png), { limits: { maxPixels: 199 } }))).max).toBe(199);
  });

  for (const [name, content] of [
    ["a GIF", "GIF89a"],
    ["an AVIF", "\0\0\0\x20ftypavif\0\0\0\0"],
    ["a HEIC picture", "\0\0\0\x20ftypheic\0\0\0\0"],
    ["a BMP", "BM6\0\0\0"],
    ["a TIFF", "II*\0"],
    ["a PDF", "%PDF-1.7"],
    ["an SVG", "<svg xmlns"],
    ["an SVG", "<?xml version='1.0'?><svg"],
    ["an HTML page", "\n<!DOCTYPE html><html>"],
    ["JSON", '{"error":1}'],
    ["3 bytes that begin with 01 02 03", "\x01\x02\x03"],
    ["nothing", ""],
  ] as const)
    it(`says that ${JSON.stringify(content)} is ${name} and no picture`, async () => {
      server.routes = { "/x": bytes(Buffer.from(content, "latin1")) };
      const error = await errorOf(resolve(`${server.origin}/x`));
      expect(error.code).toBe("invalidReferenceImages");
      expect(error.message).toContain(`must be a PNG, JPEG or WEBP picture; it is ${name}.`);
    });

  it("says that a header is damaged", async () => {
    for (const file of [png.subarray(0, 20), pngHeader(0, 5), (await picture("jpeg")).subarray(0, 20)])
      expect((await errorOf(resolve(base64(file)))).message).toContain("damaged or cut off");
  });

  it("throws the signal's reason", async () => {
    server.routes = { "/x": stall() };
    const controller = new AbortController();
    const pending = resolve(`${server.origin}/x`, { signal: controller.signal });
    controller.abort(REASON);
    await expect(pending).rejects.toBe(REASON);
    await expect(resolve(base64(png), { signal: AbortSignal.abort(REASON) })).rejects.toBe(REASON);
  });

  it("ends for any text, with a TaskError about the field", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary" }), async (text) => {
        const fetch = (): Promise<Response> => Promise.reject(new TypeError("no network here"));
        expect((await errorOf(resolve(text, { fetch }))).parameter).toBe(FIELD);
      }),
    );
  });
});

describe("resolveReferences", () => {
  it("keeps the order and reads them at the same time", async () => {
    const webp = await picture("webp");
    const { uuid } = store.put(webp, "image/webp");
    const second = deferred();
    server.routes = {
      "/1": (_, response) => void second.promise.then(() => response.end(png)),
      "/2": (request, response) => {
        bytes(png)(request, response);
        second.resolve();
      },
    };
    const all = await resolveReferences([`${server.origin}/1`, uuid, `${server.origin}/2`], { store });
    expect(all).toEqual([png, webp, png]);
    expect(await resolveReferences([], { store })).toEqual([]);
  });

  it("reports the problems of all, each with its index", async () => {
    const inputs = ["%", base64(png), `${server.origin}/none`];
    const error = (await resolveReferences(inputs, { store }).catch((reason: unknown) => reason)) as TaskError;
    expect(error).toBeInstanceOf(TaskError);
    expect(error.errors.map(({ code, parameter }) => [code, parameter])).toEqual([
      ["invalidReferenceImages", `${FIELD}[0]`],
      ["failedToTransferImage", `${FIELD}[2]`],
    ]);
  });

  it("throws the signal's reason and no TaskError", async () => {
    const signal = AbortSignal.abort(REASON);
    await expect(resolveReferences(["%"], { store, signal })).rejects.toBe(REASON);
  });
});

describe("readImageHeader", () => {
  for (const format of ["png", "jpeg", "webp"] as const)
    for (const [width, height] of [
      [1, 1],
      [17, 300],
      [1000, 9],
    ] as const)
      it(`reads ${width} x ${height} from ${format}`, async () => {
        const header = readImageHeader(await picture(format, width, height));
        expect(header).toEqual({ type: `image/${format}`, size: { width, height } });
      });

  it("reads lossless and extended WebP, and progressive JPEG with EXIF before its size", async () => {
    const image = sharp({ create: { width: 37, height: 21, channels: 4, background: "#c0402080" } });
    const size = { width: 37, height: 21 };
    const lossless = new Uint8Array(await image.clone().webp({ lossless: true }).toBuffer());
    const extended = new Uint8Array(await image.clone().webp({ quality: 50 }).withMetadata().toBuffer());
    const progressive = new Uint8Array(
      await image.clone().flatten().jpeg({ progressive: true }).withMetadata({ orientation: 6 }).toBuffer(),
    );
    expect(Buffer.from(lossless.subarray(12, 16)).toString()).toBe("VP8L");
    expect(Buffer.from(extended.subarray(12, 16)).toString()).toBe("VP8X");
    expect([lossless, extended, progressive].map((file) => readImageHeader(file)?.size)).toEqual([size, size, size]);
  });

  for (const marker of [0xc4, 0xc8, 0xcc, 0xdb, 0xe1, 0xfe])
    it(`reads past a JPEG segment ff ${marker.toString(16)}, and past fill bytes`, async () => {
      const file = await picture("jpeg", 17, 30);
      const segment = [0xff, 0xff, 0xff, marker, 0, 11, 8, 0, 1, 0, 1, 1, 1, 0x11, 0];
      const longer = Uint8Array.of(...file.subarray(0, 2), ...segment, ...file.subarray(2));
      expect(readImageHeader(longer)?.size).toEqual({ width: 17, height: 30 });
    });

  it("ends for any bytes behind any signature", () => {
    const starts = fc.constantFrom(
      [0xff, 0xd8, 0xff],
      [0x89, 0x50, 0x4e, 0x47],
      [...Buffer.from("RIFF0000WEBPVP8X")],
      [],
    );
    fc.assert(
      fc.property(starts, fc.uint8Array({ maxLength: 100 }), (start, rest) => {
        const header = readImageHeader(Uint8Array.of(...start, ...rest));
        const { width = 1, height = 1 } = header?.size ?? {};
        expect(width * height).toBeGreaterThan(0);
      }),
    );
  });
});

describe("uploadImage", () => {
  const taskUUID = crypto.randomUUID();

  it("keeps the picture with its real type under a UUID that a reference may name", async () => {
    const task = { taskType: "imageUpload", taskUUID, image: `data:image/gif;base64,${base64(png)}` } as const;
    const item = await uploadImage(task, { store });
    expect(item).toEqual({
      taskType: "imageUpload",
      taskUUID,
      imageUUID: item.imageUUID,
      imageURL: store.urlOf(item.imageUUID),
    });
    expect(store.get(item.imageUUID)?.type).toBe("image/png");
    expect(await resolve(item.imageUUID)).toEqual(png);
  });

  it("names its own field in errors", async () => {
    const error = await errorOf(uploadImage({ taskType: "imageUpload", taskUUID, image: "%" }, { store }));
    expect(error).toMatchObject({ code: "invalidImage", parameter: "image" });
  });

  it("does not give an address where the store makes none", async () => {
    const plain = new MediaStore();
    const item = await uploadImage({ taskType: "imageUpload", taskUUID, image: base64(png) }, { store: plain });
    expect(item).not.toHaveProperty("imageURL");
    expect((await resolvePicture(item.imageUUID, { store: plain })).type).toBe("image/png");
  });
});
