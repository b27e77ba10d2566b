import { KleinbildError } from "../errors.ts";
import {
  checkPixelCount,
  type EncodedImage,
  type Encoding,
  type ImageCodec,
  resolveEncoding,
  undecodable,
} from "../image/codec.ts";
import type { PixelImage } from "../image/pixels.ts";

/** Image files in browsers, in pages and workers: those that the browser decodes and encodes. */
export class BrowserImageCodec implements ImageCodec {
  async decode(bytes: Uint8Array<ArrayBuffer>, signal?: AbortSignal): Promise<PixelImage> {
    let bitmap: ImageBitmap;
    try {
      bitmap = await createImageBitmap(new Blob([bytes]), { imageOrientation: "from-image" });
    } catch (cause) {
      throw undecodable(bytes, cause);
    }
    try {
      signal?.throwIfAborted();
      const { width, height } = bitmap;
      checkPixelCount(width, height);
      const context = context2d(width, height);
      context.fillStyle = "white"; // transparent pixels lie on white
      context.fillRect(0, 0, width, height);
      context.drawImage(bitmap, 0, 0);
      const { data } = context.getImageData(0, 0, width, height);
      if (data.at(-1) !== 255) throw noCanvas(width, height); // Safari's canvas stays empty beyond its largest area
      return { width, height, data };
    } finally {
      bitmap.close();
    }
  }

  async encode({ width, height, data }: PixelImage, encoding: Encoding = {}): Promise<EncodedImage> {
    const { type, quality } = resolveEncoding(encoding);
    const context = context2d(width, height);
    context.putImageData(new ImageData(new Uint8ClampedArray(data), width, height), 0, 0);
    const blob = await context.canvas.convertToBlob({ type, quality });
    const bytes = new Uint8Array(await blob.arrayBuffer());
    // a browser that cannot write a type falls back to PNG, by the standard
    if (blob.type === type) return { bytes, type, warnings: [] };
    return { bytes, type: "image/png", warnings: [`This browser cannot write ${type}; the picture is PNG.`] };
  }
}

function context2d(width: number, height: number): OffscreenCanvasRenderingContext2D {
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  if (!context) throw noCanvas(width, height);
  return context;
}

function noCanvas(width: number, height: number): KleinbildError {
  return new KleinbildError("unsupported", `This browser has no canvas of ${width} x ${height} pixels.`, {
    width,
    height,
  });
}
