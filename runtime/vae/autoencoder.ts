import { featuresToPixels, patchify, pixelsToFeatures, unpatchify } from "../../kernels/index.ts";
import type { DenseBackend } from "../backend/backend.ts";
import type { Gpu } from "../gpu/device.ts";
import type { MemoryScope } from "../gpu/memory.ts";
import { elementGrid } from "../gpu/workgroups.ts";
import { rowRanges, type ScalarType, type Tensor } from "../gpu/tensor.ts";
import type { VaeConfig } from "../weights/config/model-config.ts";
import { f32ToF16 } from "../weights/float.ts";
import { bandRows } from "./bands.ts";
import { VaeBlocks } from "./blocks.ts";
import { allocateMap, type FeatureMap, releaseMap } from "./feature-map.ts";
import type { VaeWeights } from "./weights.ts";

/** Pixels per token in each direction: the autoencoder's 8, times 2×2 patches. */
export const PIXELS_PER_TOKEN = 16;
const PIXELS_PER_LATENT = 8;
/** Channels of a picture's map: red, green, blue, and zeros that fill a quad. */
const PIXEL_CHANNELS = 4;

/** RGBA bytes of a picture whose sides are multiples of 16. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray;
}

/** AutoencoderKLFlux2: pictures to normalised tokens and back, in exact bands. */
export class Autoencoder {
  readonly config: VaeConfig;
  readonly #gpu: Gpu;
  readonly #backend: DenseBackend;
  readonly #scalar: ScalarType;
  readonly #weights: VaeWeights;

  constructor(gpu: Gpu, backend: DenseBackend, scalar: ScalarType, config: VaeConfig, weights: VaeWeights) {
    this.#gpu = gpu;
    this.#backend = backend;
    this.#scalar = scalar;
    this.config = config;
    this.#weights = weights;
  }

  /** Normalised tokens [height / 16 · width / 16, 4 · latentChannels] f32 of a picture (the mean, no sampling). */
  async encode(target: MemoryScope, image: Pixels, signal?: AbortSignal): Promise<Tensor> {
    using scope = this.#gpu.memory.scope();
    const blocks = this.#blocks(scope, this.#bandRows("encode", image.width), signal);
    return await this.#encode(target, blocks, this.#uploadPixels(blocks, image));
  }

  /** The same for features [height, width, 3] in −1…1. */
  async encodeFeatures(
    target: MemoryScope,
    features: Float32Array,
    { width, height }: { readonly width: number; readonly height: number },
  ): Promise<Tensor> {
    using scope = this.#gpu.memory.scope();
    const blocks = this.#blocks(scope, this.#bandRows("encode", width));
    const rowsPerMapBand = blocks.context.rowsPerBand(width);
    const map = allocateMap(scope, this.#scalar, {
      width,
      height,
      channels: PIXEL_CHANNELS,
      rowsPerBand: rowsPerMapBand,
    });
    for (const [i, { first, count }] of rowRanges(height, rowsPerMapBand).entries()) {
      const values = new Float32Array(count * width * PIXEL_CHANNELS);
      for (let at = 0; at < count * width; at++)
        values.set(features.subarray((first * width + at) * 3, (first * width + at + 1) * 3), at * PIXEL_CHANNELS);
      this.#gpu.recorder.write(map.bands[i]!, this.#scalar === "f32" ? values : f32ToF16(values));
    }
    return await this.#encode(target, blocks, map);
  }

  async #encode(target: MemoryScope, blocks: VaeBlocks, picture: FeatureMap): Promise<Tensor> {
    const { scope } = blocks;
    const { encoder, normalize } = this.#weights;
    let map = await blocks.convolve(picture, encoder.convIn);
    releaseMap(scope, picture);
    for (const level of encoder.levels) map = await blocks.level(map, level, "down");
    map = await this.#finish(blocks, await blocks.mid(map, encoder.mid), encoder);
    const moments = encoder.quant ? await blocks.convolve(map, encoder.quant) : map;
    const tokens = (picture.width / PIXELS_PER_TOKEN) * (picture.height / PIXELS_PER_TOKEN);
    const latents = target.tensor("reference latents", "f32", [tokens, 4 * this.config.latentChannels]);
    for (const [i, { first, count }] of rowRanges(moments.height, moments.rowsPerBand).entries())
      this.#gpu.recorder.dispatch(patchify, {
        bindings: { x: moments.bands[i]!, statistics: normalize, tokens: latents },
        parameters: {
          width: moments.width,
          first_row: first,
          rows: count,
          channels: moments.channels,
          latent_channels: this.config.latentChannels,
        },
        scalar: this.#scalar,
        grid: elementGrid(patchify, count * moments.width * this.config.latentChannels),
      });
    this.#gpu.recorder.flush();
    return latents;
  }

  /**
   * Features [height, width, 3], about −1…1, of normalised tokens, in `scope`.
   *
   * @param tokens  [height / 16 · width / 16, 4 · latentChannels] f32
   */
  async decode(
    scope: MemoryScope,
    tokens: Tensor,
    size: { readonly width: number; readonly height: number },
    signal?: AbortSignal,
  ): Promise<FeatureMap> {
    const { decoder } = this.#weights;
    const blocks = this.#blocks(scope, this.#bandRows("decode", size.width), signal);
    const latents = this.#unpatchify(blocks, tokens, size);
    const quantized = decoder.quant ? await blocks.convolve(latents, decoder.quant) : latents;
    let map = await blocks.convolve(quantized, decoder.convIn);
    releaseMap(scope, latents);
    if (quantized !== latents) releaseMap(scope, quantized);
    map = await blocks.mid(map, decoder.mid);
    for (const level of decoder.levels) map = await blocks.level(map, level, "up");
    return this.#finish(blocks, map, decoder);
  }

  /** RGBA bytes of decoded features. */
  async readPixels(scope: MemoryScope, map: FeatureMap): Promise<Pixels> {
    const data = new Uint8ClampedArray(map.width * map.height * 4);
    for (const [i, { first, count }] of rowRanges(map.height, map.rowsPerBand).entries()) {
      const pixels = scope.tensor("pixels", "u32", [count * map.width]);
      this.#gpu.recorder.dispatch(featuresToPixels, {
        bindings: { x: map.bands[i]!, pixels },
        parameters: { count: count * map.width },
        scalar: this.#scalar,
        grid: elementGrid(featuresToPixels, count * map.width),
      });
      data.set(new Uint8ClampedArray(await this.#gpu.recorder.read(pixels)), first * map.width * 4);
      scope.release(pixels);
    }
    return { width: map.width, height: map.height, data };
  }

  async #finish(blocks: VaeBlocks, map: FeatureMap, { normOut, convOut }: VaeWeights["decoder"]): Promise<FeatureMap> {
    const affine = blocks.groupNorm(map, normOut);
    const out = await blocks.convolve(map, convOut, { affine, activate: true });
    releaseMap(blocks.scope, map);
    blocks.scope.release(affine);
    return out;
  }

  #bandRows(half: "encode" | "decode", width: number): (mapWidth: number) => number {
    return bandRows(this.config, half, width, this.#scalar, this.#gpu.memory.maxBindingBytes);
  }

  #blocks(scope: MemoryScope, rowsPerBand: (mapWidth: number) => number, signal?: AbortSignal): VaeBlocks {
    const { groups } = this.config;
    return new VaeBlocks(
      { gpu: this.#gpu, backend: this.#backend, scalar: this.#scalar, groups, rowsPerBand, signal },
      scope,
    );
  }

  #uploadPixels({ scope, context }: VaeBlocks, image: Pixels): FeatureMap {
    const { width, height } = image;
    const map = allocateMap(scope, this.#scalar, {
      width,
      height,
      channels: PIXEL_CHANNELS,
      rowsPerBand: context.rowsPerBand(width),
    });
    for (const [i, { first, count }] of rowRanges(height, map.rowsPerBand).entries()) {
      const pixels = scope.tensor("pixels", "u32", [count * width]);
      const bytes = new Uint8Array(image.data.slice(first * width * 4, (first + count) * width * 4).buffer);
      this.#gpu.recorder.write(pixels, bytes);
      this.#gpu.recorder.dispatch(pixelsToFeatures, {
        bindings: { pixels, out: map.bands[i]! },
        parameters: { count: count * width },
        scalar: this.#scalar,
        grid: elementGrid(pixelsToFeatures, count * width),
      });
      scope.release(pixels);
    }
    return map;
  }

  #unpatchify(
    { scope, context }: VaeBlocks,
    tokens: Tensor,
    size: { readonly width: number; readonly height: number },
  ): FeatureMap {
    const width = size.width / PIXELS_PER_LATENT;
    const height = size.height / PIXELS_PER_LATENT;
    const channels = this.config.latentChannels;
    const map = allocateMap(scope, this.#scalar, { width, height, channels, rowsPerBand: context.rowsPerBand(width) });
    for (const [i, { first, count }] of rowRanges(height, map.rowsPerBand).entries())
      this.#gpu.recorder.dispatch(unpatchify, {
        bindings: { tokens, statistics: this.#weights.denormalize, out: map.bands[i]! },
        parameters: { width, first_row: first, rows: count, latent_channels: channels },
        scalar: this.#scalar,
        grid: elementGrid(unpatchify, count * width * channels),
      });
    return map;
  }
}
