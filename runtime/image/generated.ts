import { KleinbildError } from "../errors.ts";
import type { EncodedImage, EncodeOptions, ImageCodec } from "./codec.ts";
import { type ImageMetadata, writeMetadata } from "./metadata.ts";
import type { PixelImage } from "./pixels.ts";

/** A picture that the engine made, with how it was made. */
export class GeneratedImage {
  readonly pixels: PixelImage;
  readonly metadata: ImageMetadata;
  readonly #codec: ImageCodec;

  /** @internal */
  constructor(pixels: PixelImage, metadata: ImageMetadata, codec: ImageCodec) {
    this.pixels = pixels;
    this.metadata = metadata;
    this.#codec = codec;
  }

  get width(): number {
    return this.pixels.width;
  }

  get height(): number {
    return this.pixels.height;
  }

  /**
   * The picture as a file, with its metadata in it.
   *
   * A browser that cannot write the type asked for gives PNG; `type` and `warnings` of the result say so.
   *
   * @throws KleinbildError `invalid-request` for a type or quality that does not exist
   */
  async encode(options: EncodeOptions = {}): Promise<EncodedImage> {
    const encoded = await this.#codec.encode(this.pixels, options);
    const warnings = [...encoded.warnings];
    const bytes = writeMetadata(encoded.bytes, encoded.type, this.metadata);
    if (!bytes)
      warnings.push(`The settings are too long for ${encoded.type}; the file has none. Take PNG or WebP to keep them.`);
    return { bytes: bytes ?? encoded.bytes, type: encoded.type, warnings };
  }

  /** The same as a Blob. */
  async toBlob(options: EncodeOptions = {}): Promise<Blob> {
    const { bytes, type } = await this.encode(options);
    return new Blob([bytes], { type });
  }

  /** For a canvas. @throws KleinbildError `unsupported` outside of browsers */
  async toImageBitmap(): Promise<ImageBitmap> {
    if (typeof createImageBitmap !== "function")
      throw new KleinbildError("unsupported", "There is no ImageBitmap here; take `pixels` or `encode()`.");
    const { data, width, height } = this.pixels;
    return await createImageBitmap(new ImageData(new Uint8ClampedArray(data), width, height));
  }
}
