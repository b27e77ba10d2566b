import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { EncodedImage, EncodeOptions } from "../../../runtime/image/codec.ts";
import { NodeImageCodec } from "../../../runtime/node/sharp-image-codec.ts";
import {
  deliverErrors,
  type DeliveryFields,
  type DeliveryOptions,
  deliverPicture,
  encodeOptions,
  type Encodable,
  seedInJson,
} from "../../../runtime/task/runner/delivery.ts";
import { UUID_V4 } from "../../../runtime/validation/field-kinds.ts";
import { MediaStore } from "../../../runtime/task/media/media-store.ts";
import { ObjectUrls } from "../../../runtime/page/object-urls.ts";
import { guardedFetch } from "../../../runtime/node/guarded-fetch.ts";
import { FileUrls } from "../../../runtime/node/file-urls.ts";
import type { ImageItem } from "../../../runtime/task/schema/response.ts";
import { inTurn, redirect, stall, status, TestServer } from "./http-server.ts";

const REASON = new Error("enough");
const FILE = Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 1, 2, 3);

/** A picture that encodes to FILE in any format, and records the requested formats. */
class FakePicture implements Encodable {
  asked: EncodeOptions[] = [];
  readonly encoded: EncodedImage;
  constructor(encoded: Partial<EncodedImage> = {}) {
    this.encoded = { bytes: FILE, type: "image/jpeg", warnings: [], ...encoded };
  }
  async encode(options: EncodeOptions): Promise<EncodedImage> {
    this.asked.push(options);
    return this.encoded;
  }
}

const task = (fields: Partial<DeliveryFields> = {}): DeliveryFields => ({
  taskUUID: "3f5c9a52-6d1e-4a64-9f0e-1c8a3a0f8a11",
  outputType: "URL",
  outputFormat: "JPG",
  outputQuality: 95,
  ttl: undefined,
  includeCost: false,
  webhookURL: undefined,
  uploadEndpoint: undefined,
  ...fields,
});

let server: TestServer;
let store: MediaStore;
beforeAll(async () => void (server = await TestServer.start()));
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(() => {
  store = new MediaStore({ urls: new ObjectUrls() });
  server.routes = {};
  server.seen = [];
});
afterEach(() => store.clear());

function deliver(
  fields: Partial<DeliveryFields> = {},
  options: Partial<DeliveryOptions> = {},
  image: Encodable = new FakePicture(),
): Promise<ImageItem> {
  return deliverPicture({ image, seed: 7n }, task(fields), { store, retryDelayMs: 1, ...options });
}

describe("encodeOptions", () => {
  for (const [outputFormat, type] of [
    ["JPG", "image/jpeg"],
    ["PNG", "image/png"],
    ["WEBP", "image/webp"],
  ] as const)
    it(`asks for ${type} for ${outputFormat}, quality as a part of 1`, () => {
      expect(encodeOptions({ outputFormat, outputQuality: 20 })).toEqual({ type, quality: 0.2 });
      expect(encodeOptions({ outputFormat, outputQuality: 99 })).toEqual({ type, quality: 0.99 });
    });

  it("gives the file that the codec's own writer gives at this percentage", async () => {
    const data = Uint8ClampedArray.from({ length: 32 * 32 * 4 }, (_, i) => (i % 4 === 3 ? 255 : (i * 31) % 256));
    const options = encodeOptions({ outputFormat: "JPG", outputQuality: 57 });
    const { bytes } = await new NodeImageCodec().encode({ width: 32, height: 32, data }, options);
    const raw = sharp(data, { raw: { width: 32, height: 32, channels: 4 } }).removeAlpha();
    expect(bytes).toEqual(new Uint8Array(await raw.jpeg({ quality: 57 }).toBuffer()));
  });
});

describe("deliverPicture", () => {
  it("gives an address, and nothing that was not asked for", async () => {
    const item = await deliver();
    expect(Object.keys(item)).toEqual(["taskType", "taskUUID", "imageUUID", "imageURL", "seed"]);
    expect(item).toMatchObject({ taskType: "imageInference", taskUUID: task().taskUUID, seed: 7 });
    expect(item.imageUUID).toMatch(UUID_V4);
    const response = await fetch(item.imageURL!);
    expect(response.headers.get("content-type")).toBe("image/jpeg");
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(FILE);
  });

  it("gives base64", async () => {
    const { imageBase64Data, imageURL, imageUUID } = await deliver({ outputType: "base64Data" });
    expect(imageBase64Data).toBe(Buffer.from(FILE).toString("base64"));
    expect(imageURL).toBeUndefined();
    expect(store.get(imageUUID)?.bytes).toEqual(FILE);
  });

  it("gives a data URI with the file's real type, and the encoder's warnings", async () => {
    const image = new FakePicture({ type: "image/png", warnings: ["It is PNG."] });
    const item = await deliver({ outputType: "dataURI", outputFormat: "WEBP" }, {}, image);
    expect(image.asked).toEqual([{ type: "image/webp", quality: 0.95 }]);
    expect(item.imageDataURI).toBe(`data:image/png;base64,${Buffer.from(FILE).toString("base64")}`);
    expect(item.warnings).toEqual(["It is PNG."]);
    expect(store.get(item.imageUUID)?.type).toBe("image/png");
  });

  it("gives the address of a file in Node", async () => {
    const folder = mkdtempSync(join(tmpdir(), "kleinbild-test-"));
    const files = new MediaStore({ urls: new FileUrls(folder) });
    const { imageURL } = await deliver({}, { store: files });
    expect(imageURL).toMatch(/^file:.*\.jpg$/);
    expect(new Uint8Array(readFileSync(fileURLToPath(imageURL!)))).toEqual(FILE);
    rmSync(folder, { recursive: true });
  });

  it("costs nothing, and says so when asked", async () => {
    expect((await deliver({ includeCost: true })).cost).toBe(0);
  });

  it("puts the task's warnings first", async () => {
    const image = new FakePicture({ warnings: ["of the encoder"] });
    const item = await deliverPicture({ image, seed: 7n, warnings: ["of the task"] }, task(), { store });
    expect(item.warnings).toEqual(["of the task", "of the encoder"]);
  });

  it("revokes the address after the ttl, and keeps what has no address for as long as there is room", async () => {
    vi.useFakeTimers();
    try {
      const [url, data] = [await deliver({ ttl: 60 }), await deliver({ ttl: 60, outputType: "base64Data" })];
      vi.advanceTimersByTime(59_999);
      expect(store.getByUrl(url.imageURL!)).toBeDefined();
      vi.advanceTimersByTime(1);
      expect(store.getByUrl(url.imageURL!)).toBeUndefined();
      expect(store.get(url.imageUUID)).toBeUndefined();
      expect(store.get(data.imageUUID)).toBeDefined();
    } finally {
      vi.useRealTimers();
    }
  });

  for (const [name, broken] of [
    [
      "there is no room for it",
      (): MediaStore => new MediaStore({ maxBytes: FILE.length - 1, urls: new ObjectUrls() }),
    ],
    ["nothing makes addresses", (): MediaStore => new MediaStore()],
    [
      "its address cannot be made",
      (): MediaStore => {
        const create = (): never => {
          throw new Error("disk full");
        };
        return new MediaStore({ urls: { create, revoke: () => {} } });
      },
    ],
  ] as const)
    it(`gives the picture as a data URI when ${name}`, async () => {
      const item = await deliver({}, { store: broken() });
      expect(item.imageURL).toBeUndefined();
      expect(item.imageDataURI).toBe(`data:image/jpeg;base64,${Buffer.from(FILE).toString("base64")}`);
      expect(item.warnings?.at(-1)).toContain("given as imageDataURI");
    });

  it("throws the signal's reason, before and during a delivery", async () => {
    await expect(deliver({}, { signal: AbortSignal.abort(REASON) })).rejects.toBe(REASON);
    const controller = new AbortController();
    server.routes = { "/hook": () => controller.abort(REASON) };
    const pending = deliver({ webhookURL: `${server.origin}/hook` }, { signal: controller.signal });
    await expect(pending).rejects.toBe(REASON);
  });
});

describe("seedInJson", () => {
  it("is a number as long as a number is exact", () => {
    expect(seedInJson(0n)).toBe(0);
    expect(seedInJson(2n ** 53n - 1n)).toBe(9_007_199_254_740_991);
    expect(seedInJson(2n ** 53n)).toBe("9007199254740992");
    expect(seedInJson(2n ** 63n - 1n)).toBe("9223372036854775807");
  });
});

describe("a webhook", () => {
  const webhook = (fields: Partial<DeliveryFields> = {}, options: Partial<DeliveryOptions> = {}): Promise<ImageItem> =>
    deliver({ webhookURL: `${server.origin}/hook?key=secret`, ...fields }, options);

  it("is posted the item as JSON", async () => {
    server.routes = { "/hook": status(200) };
    const item = await webhook();
    expect(server.seen).toMatchObject([
      { method: "POST", url: "/hook?key=secret", headers: { "content-type": "application/json" } },
    ]);
    expect(JSON.parse(server.seen[0]!.body.toString())).toEqual({ data: [item] });
    expect(item.warnings).toBeUndefined();
  });

  it("is tried again after a server's error until it answers", async () => {
    server.routes = { "/hook": inTurn(status(500), status(500), status(200)) };
    expect((await webhook()).warnings).toBeUndefined();
    expect(server.seen).toHaveLength(3);
  });

  for (const [code, attempts] of [
    [400, 1],
    [404, 1],
    [428, 1],
    [429, 3],
    [499, 1],
    [500, 3],
    [503, 3],
  ] as const)
    it(`is tried ${attempts} times when it answers with status ${code}, and its failure loses no picture`, async () => {
      server.routes = { "/hook": status(code) };
      const item = await webhook();
      expect(server.seen).toHaveLength(attempts);
      expect(item.imageURL).toBeDefined();
      const times = attempts === 1 ? "" : ` (${attempts} attempts)`;
      expect(item.warnings).toEqual([
        `The webhook to ${server.origin}/hook failed: it answered with status ${code}${times}.`,
      ]);
    });

  it("is tried again when it does not answer in time", async () => {
    server.routes = { "/hook": inTurn(stall(), status(200)) };
    expect((await webhook({}, { webhookTimeoutMs: 50 })).warnings).toBeUndefined();
    server.routes = { "/hook": stall() };
    const { warnings } = await webhook({}, { webhookTimeoutMs: 20, attempts: 2 });
    expect(warnings?.[0]).toContain("did not answer within 0.02 s (2 attempts)");
  });

  it("is tried again when it cannot be reached", async () => {
    const other = await TestServer.start();
    const webhookURL = `${other.origin}/hook`;
    await other[Symbol.asyncDispose]();
    const { warnings } = await deliver({ webhookURL });
    expect(warnings?.[0]).toContain("could not be reached: ECONNREFUSED (3 attempts)");
  });

  it("is not followed elsewhere", async () => {
    server.routes = { "/hook": redirect("/other", 307), "/other": status(200) };
    expect((await webhook()).warnings?.[0]).toContain("redirects");
    expect(server.seen).toHaveLength(1);
  });

  it("is not asked where the server's policy or its connection refuses it", async () => {
    for (const options of [{ allowHost: () => false }, { fetch: guardedFetch() }])
      expect((await webhook({}, options)).warnings?.[0]).toContain("may not be reached from here");
    expect(server.seen).toEqual([]);
  });

  it("stops trying when the signal is aborted between attempts", async () => {
    const controller = new AbortController();
    server.routes = {
      "/hook": (request, response) => {
        status(500)(request, response);
        setTimeout(() => controller.abort(REASON), 20);
      },
    };
    const pending = webhook({}, { signal: controller.signal, retryDelayMs: 60_000 });
    await expect(pending).rejects.toBe(REASON);
    expect(server.seen).toHaveLength(1);
  });

  it("receives errors in the shape of the API", async () => {
    server.routes = { "/hook": status(200) };
    const errors = [{ code: "invalidWidth", message: "width must be …", parameter: "width" }];
    expect(await deliverErrors(errors, { webhookURL: `${server.origin}/hook` }, {})).toBeUndefined();
    expect(JSON.parse(server.seen[0]!.body.toString())).toEqual({ errors });
    expect(await deliverErrors(errors, { webhookURL: undefined }, {})).toBeUndefined();
    expect(await deliverErrors(errors, { webhookURL: `${server.origin}/none` }, {})).toContain("status 404");
  });
});

describe("an upload", () => {
  const upload = (fields: Partial<DeliveryFields> = {}, options: Partial<DeliveryOptions> = {}): Promise<ImageItem> =>
    deliver({ uploadEndpoint: `${server.origin}/put?signature=secret`, ...fields }, options);

  it("puts the bytes with their type", async () => {
    server.routes = { "/put": status(201) };
    const item = await upload();
    expect(server.seen).toMatchObject([
      { method: "PUT", url: "/put?signature=secret", headers: { "content-type": "image/jpeg", "content-length": "7" } },
    ]);
    expect(new Uint8Array(server.seen[0]!.body)).toEqual(FILE);
    expect(item.warnings).toBeUndefined();
    expect(item.imageURL).toBeDefined();
  });

  it("sends the same bytes again after a server's error", async () => {
    server.routes = { "/put": inTurn(status(503), status(200)) };
    expect((await upload()).warnings).toBeUndefined();
    expect(server.seen.map(({ body }) => new Uint8Array(body))).toEqual([FILE, FILE]);
  });

  it("fails with a warning, which the webhook receives too", async () => {
    server.routes = { "/put": status(403), "/hook": status(200) };
    const item = await upload({ webhookURL: `${server.origin}/hook` });
    expect(item.warnings).toEqual([`The upload to ${server.origin}/put failed: it answered with status 403.`]);
    expect(server.seen.map(({ url }) => url)).toEqual(["/put?signature=secret", "/hook"]);
    expect(JSON.parse(server.seen[1]!.body.toString())).toEqual({ data: [item] });
  });

  it("has its own time", async () => {
    server.routes = { "/put": stall() };
    const { warnings } = await upload({}, { uploadTimeoutMs: 20, attempts: 1 });
    expect(warnings).toEqual([`The upload to ${server.origin}/put failed: it did not answer within 0.02 s.`]);
  });
});
