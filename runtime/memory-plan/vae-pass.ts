import type { Kernel2d } from "../backend/matrix.ts";
import { rowRanges, tensorBytes } from "../gpu/tensor.ts";
import { PIXEL_CHANNELS, PIXELS_PER_TOKEN } from "../vae/autoencoder.ts";
import { bandRows } from "../vae/bands.ts";
import { POSITIONS_PER_SLICE } from "../vae/blocks.ts";
import type { VaeConfig } from "../weights/config/model-config.ts";
import type { PlannedScope } from "./ledger.ts";
import type { PlanContext } from "./plan-context.ts";

export interface Size {
  readonly width: number;
  readonly height: number;
}

interface PlannedMap extends Size {
  readonly channels: number;
  /** Rows of each band. */
  readonly bands: readonly number[];
}

type Kernel = Pick<Kernel2d, "out" | "in" | "size">;

/** What `Autoencoder` allocates for one picture, in `scope`. */
export class PlannedVae {
  readonly #context: PlanContext;
  readonly #scope: PlannedScope;
  readonly #bandRows: (mapWidth: number) => number;

  constructor(context: PlanContext, scope: PlannedScope, half: "encode" | "decode", imageWidth: number) {
    const { config, scalar, maxBindingBytes } = context.setup;
    this.#context = context;
    this.#scope = scope;
    this.#bandRows = bandRows(config.vae, half, imageWidth, scalar, maxBindingBytes);
  }

  /** Up to the moments of the latents. */
  encode({ width, height }: Size): void {
    const { encoderChannels: channels, layersPerBlock, latentChannels, quantConv } = this.#config;
    const picture = this.#map(width, height, PIXEL_CHANNELS);
    for (const rows of picture.bands) this.#scope.release(this.#scope.tensor("u32", [rows * width]));
    let map = this.#convolve(picture, kernel(channels[0]!, PIXEL_CHANNELS));
    this.#release(picture);
    for (const [i, out] of channels.entries()) {
      map = this.#level(map, out, layersPerBlock, i < channels.length - 1 ? "down" : undefined);
    }
    map = this.#finish(this.#middle(map), 2 * latentChannels);
    if (quantConv) this.#convolve(map, kernel(map.channels, map.channels, 1));
  }

  /** From tokens to pixels on the host. */
  decode({ width, height }: Size): void {
    const { decoderChannels, layersPerBlock, latentChannels, postQuantConv, outChannels } = this.#config;
    const channels = decoderChannels.toReversed();
    const latents = this.#map(width / 8, height / 8, latentChannels);
    const quantized = postQuantConv ? this.#convolve(latents, kernel(latentChannels, latentChannels, 1)) : latents;
    let map = this.#convolve(quantized, kernel(channels[0]!, latentChannels));
    this.#release(latents);
    if (quantized !== latents) this.#release(quantized);
    map = this.#middle(map);
    for (const [i, out] of channels.entries()) {
      map = this.#level(map, out, layersPerBlock + 1, i < channels.length - 1 ? "up" : undefined);
    }
    map = this.#finish(map, outChannels);
    for (const rows of map.bands) {
      const pixels = this.#scope.tensor("u32", [rows * width]);
      this.#context.readBack(pixels);
      this.#scope.release(pixels);
    }
  }

  get #config(): VaeConfig {
    return this.#context.setup.config.vae;
  }

  #map(width: number, height: number, channels: number): PlannedMap {
    const bands = rowRanges(height, this.#bandRows(width)).map(({ count }) => count);
    for (const rows of bands) this.#scope.tensor(this.#context.setup.scalar, [rows, width, channels]);
    return { width, height, channels, bands };
  }

  #release({ width, channels, bands }: PlannedMap): void {
    const { scalar } = this.#context.setup;
    this.#scope.release(...bands.map((rows) => tensorBytes(scalar, [rows, width, channels])));
  }

  #convolve(map: PlannedMap, weight: Kernel, { stride = 1, upsample = false, onto }: ConvolveOptions = {}): PlannedMap {
    const { dense, setup } = this.#context;
    const factor = upsample ? 2 : 1;
    const out = onto ?? this.#map((map.width * factor) / stride, (map.height * factor) / stride, weight.out);
    const folded = upsample && dense.foldsUpsampling;
    for (const count of out.bands) {
      const rows = folded ? count / 2 + 2 : (count - 1) * stride + weight.size;
      const width = folded ? map.width : map.width * factor;
      const input = weight.size > 1 && this.#scope.tensor(setup.scalar, [rows, width, map.channels]);
      const accumulated = onto ? count * out.width * out.channels : 0;
      dense.convolve(this.#scope, { ...weight, accumulated });
      if (input !== false) this.#scope.release(input);
    }
    return out;
  }

  /** @returns what is to be released: the affine form */
  #groupNorm({ width, channels, bands }: PlannedMap): number {
    const parts = bands.reduce((sum, rows) => sum + Math.ceil((rows * width) / POSITIONS_PER_SLICE), 0);
    const partials = this.#scope.tensor("f32", [parts, this.#config.groups, 3]);
    const affine = this.#scope.tensor("f32", [2, channels]);
    this.#scope.release(partials);
    return affine;
  }

  #resnet(x: PlannedMap, channels: number): PlannedMap {
    const affine1 = this.#groupNorm(x);
    const inner = this.#convolve(x, kernel(channels, x.channels));
    const residual = x.channels === channels ? x : this.#convolve(x, kernel(channels, x.channels, 1));
    if (residual !== x) this.#release(x);
    const affine2 = this.#groupNorm(inner);
    this.#convolve(inner, kernel(channels, channels), { onto: residual });
    this.#release(inner);
    this.#scope.release(affine1, affine2);
    return residual;
  }

  #level(x: PlannedMap, channels: number, resnets: number, resample: "down" | "up" | undefined): PlannedMap {
    let map = x;
    for (let i = 0; i < resnets; i++) {
      const before = map.channels;
      map = this.#resnet(map, channels);
      if (map.channels !== before) this.#scope.trim();
    }
    if (resample === undefined) return map;
    const options = resample === "up" ? { upsample: true } : ({ stride: 2 } as const);
    const out = this.#convolve(map, kernel(map.channels, map.channels), options);
    this.#release(map);
    this.#scope.trim();
    return out;
  }

  #middle(x: PlannedMap): PlannedMap {
    const first = this.#resnet(x, x.channels);
    if (this.#config.midAttention) this.#attend(first);
    return this.#resnet(first, x.channels);
  }

  #attend(x: PlannedMap): void {
    const { dense, setup } = this.#context;
    const { scalar } = setup;
    const scope = this.#scope;
    const affine = this.#groupNorm(x);
    const matrix = this.#context.kept(x.channels, x.channels);
    const tokens = x.bands.map((rows) => rows * x.width);
    const qkv = tokens.flatMap((rows) => {
      const normed = scope.tensor(scalar, [rows, x.channels]);
      const outputs = [0, 1, 2].map(() => scope.tensor(scalar, [rows, x.channels]));
      dense.project(scope, rows, scalar, false, [matrix, matrix, matrix], scalar);
      scope.release(normed);
      return outputs;
    });
    for (const rows of tokens) {
      const state = scope.tensor("f32", [rows, x.channels + 2]);
      const attended = scope.tensor(scalar, [rows, x.channels]);
      scope.release(state);
      const branch = scope.tensor(scalar, [rows, x.channels]);
      dense.project(scope, rows, scalar, false, [matrix], scalar);
      scope.release(attended, branch);
    }
    scope.release(affine, ...qkv);
  }

  #finish(map: PlannedMap, out: number): PlannedMap {
    const affine = this.#groupNorm(map);
    const finished = this.#convolve(map, kernel(out, map.channels));
    this.#release(map);
    this.#scope.release(affine);
    return finished;
  }
}

interface ConvolveOptions {
  readonly stride?: 1 | 2;
  readonly upsample?: boolean;
  readonly onto?: PlannedMap;
}

const kernel = (out: number, inputs: number, size = 3): Kernel => ({ out, in: inputs, size });

/** Tokens of a picture. */
export function pictureTokens({ width, height }: Size): number {
  return (width / PIXELS_PER_TOKEN) * (height / PIXELS_PER_TOKEN);
}
