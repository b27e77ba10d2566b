import { KleinbildError } from "../errors.ts";
import type { EncodedImage, EncodeOptions, ImageCodec } from "./codec.ts";
import { type ImageMetadata, writeMetadata } from "./metadata.ts";
import type { PixelImage } from "./pixels.ts";

/** A picture that the engine made, with how it was made. */
export class GeneratedImage {
  /** The picture itself, not a copy. */
  readonly pixels: PixelImage;
  /** The settings that make the same picture again. `encode` writes them into the file. */
  readonly metadata: ImageMetadata;
  readonly #codec: ImageCodec;

  /** @internal */
  constructor(pixels: PixelImage, metadata: ImageMetadata, codec: ImageCodec) {
    this.pixels = pixels;
    this.metadata = metadata;
    this.#codec = codec;
  }

  /** In pixels. */
  get width(): number {
    return this.pixels.width;
  }

  /** In pixels. */
  get height(): number {
    return this.pixels.height;
  }

  /**
   * The picture as a file, with its metadata in it unless `metadata` is false.
   *
   * A browser that cannot write the type asked for gives PNG; `type` and `warnings` of the result say so.
   *
   * @throws KleinbildError `invalid-request` for a type or quality that does not exist; `unsupported` in Node without sharp
   */
  async encode({ metadata = true, ...encoding }: EncodeOptions = {}): Promise<EncodedImage> {
    const encoded = await this.#codec.encode(this.pixels, encoding);
    if (!metadata) return encoded;
    return { ...encoded, bytes: writeMetadata(encoded.bytes, encoded.type, this.metadata) };
  }

  /** The same as a Blob, whose `type` is what the file really is. @throws the errors of `encode` */
  async toBlob(options: EncodeOptions = {}): Promise<Blob> {
    const { bytes, type } = await this.encode(options);
    return new Blob([bytes], { type });
  }

  /** A copy for `drawImage`, `bitmaprenderer` or WebGPU. @throws KleinbildError `unsupported` outside of browsers */
  async toImageBitmap(): Promise<ImageBitmap> {
    const copy = this.toImageData();
    return createImageBitmap(copy);
  }

  /** A copy for `putImageData`. @throws KleinbildError `unsupported` outside of browsers */
  toImageData(): ImageData {
    if (typeof ImageData !== "function")
      throw new KleinbildError(
        "unsupported",
        "ImageData and ImageBitmap exist in browsers only; take `pixels` or `encode()`.",
      );
    const { data, width, height } = this.pixels;
    return new ImageData(new Uint8ClampedArray(data), width, height);
  }
}
