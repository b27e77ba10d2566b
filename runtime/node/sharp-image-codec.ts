import type sharp from "sharp";
import { KleinbildError } from "../errors.ts";
import {
  checkPixelCount,
  type EncodedImage,
  type Encoding,
  type ImageCodec,
  MAX_PIXELS,
  resolveEncoding,
  undecodable,
} from "../image/codec.ts";
import { layOnWhite, type PixelImage } from "../image/pixels.ts";

/** Image files in Node, by sharp. */
export class NodeImageCodec implements ImageCodec {
  async decode(bytes: Uint8Array<ArrayBuffer>, signal?: AbortSignal): Promise<PixelImage> {
    const load = await loadSharp();
    signal?.throwIfAborted();
    const image = await decodePixels(load, bytes);
    signal?.throwIfAborted();
    layOnWhite(image.data); // sharp's flatten truncates where browsers round
    return image;
  }

  async encode({ width, height, data }: PixelImage, encoding: Encoding = {}): Promise<EncodedImage> {
    const { type, quality } = resolveEncoding(encoding);
    const load = await loadSharp();
    const raw = load(data, { raw: { width, height, channels: 4 } }).removeAlpha();
    const percent = Math.max(1, Math.round(quality * 100));
    const encoded =
      type === "image/png"
        ? raw.png()
        : type === "image/jpeg"
          ? raw.jpeg({ quality: percent })
          : raw.webp({ quality: percent });
    return { bytes: new Uint8Array(await encoded.toBuffer()), type, warnings: [] };
  }
}

async function decodePixels(load: typeof sharp, bytes: Uint8Array): Promise<PixelImage> {
  try {
    const { width, height } = await load(bytes, { limitInputPixels: false }).metadata();
    checkPixelCount(width, height);
    const { data, info } = await load(bytes, { limitInputPixels: MAX_PIXELS })
      .autoOrient()
      .toColourspace("srgb")
      .ensureAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    return {
      width: info.width,
      height: info.height,
      data: new Uint8ClampedArray(data.buffer, data.byteOffset, data.length),
    };
  } catch (error) {
    if (error instanceof KleinbildError) throw error;
    throw undecodable(bytes, error);
  }
}

async function loadSharp(): Promise<typeof sharp> {
  try {
    return (await import("sharp")).default;
  } catch (cause) {
    throw new KleinbildError(
      "unsupported",
      "Reading and writing image files in Node needs the package `sharp`; it could not be loaded.",
      {},
      { cause },
    );
  }
}
