import { attentionWide, groupNormFinish, groupNormStatistics } from "../../kernels/index.ts";
import type { DenseBackend } from "../backend/backend.ts";
import type { Kernel2d } from "../backend/matrix.ts";
import type { Gpu } from "../gpu/device.ts";
import type { MemoryScope } from "../gpu/memory.ts";
import { reductionLanes } from "../gpu/workgroups.ts";
import { accumulateTensor } from "../gpu/chunked-matrix.ts";
import { rowRanges, type ScalarType, type Tensor } from "../gpu/tensor.ts";
import { allocateMap, type FeatureMap, type GatherOptions, gatherRows, releaseMap } from "./feature-map.ts";
import type { AttentionWeights, LevelWeights, MidWeights, NormWeights, ResnetWeights } from "./weights.ts";

const NORM_EPS = 1e-6;
/** Positions for one workgroup of the statistics kernel: few enough to fill a GPU, and enough to leave few partial results. */
const POSITIONS_PER_SLICE = 1024;

export interface ConvolveOptions extends GatherOptions {
  readonly stride?: 1 | 2;
  readonly onto?: FeatureMap;
}

export interface BlockContext {
  readonly gpu: Gpu;
  readonly backend: DenseBackend;
  readonly scalar: ScalarType;
  readonly groups: number;
  /** Rows of a band of a map of this width. */
  readonly rowsPerBand: (width: number) => number;
  readonly signal?: AbortSignal | undefined;
}

/** The operators of the autoencoder on banded feature maps. Operators do not free the maps that they read, unless they say so. */
export class VaeBlocks {
  readonly context: BlockContext;
  readonly scope: MemoryScope;
  readonly #gathering: Parameters<typeof gatherRows>[0];

  constructor(context: BlockContext, scope: MemoryScope) {
    this.context = context;
    this.scope = scope;
    this.#gathering = { recorder: context.gpu.recorder, scope, scalar: context.scalar };
  }

  /**
   * A convolution band by band, padded with zeros as if the map were whole.
   *
   * @param stride    2 pads at the right and at the bottom only, as the reference encoder does
   * @param upsample  nearest, by two, before it
   * @param onto      a map of the result's size, to which the results are added; the function returns it
   */
  async convolve(map: FeatureMap, weight: Kernel2d, options: ConvolveOptions = {}): Promise<FeatureMap> {
    const { gpu, backend } = this.context;
    const { stride = 1, upsample = false, onto, ...gather } = options;
    const out = onto ?? this.#mapOf(weight, (map.width * (upsample ? 2 : 1)) / stride, map);
    const halo = weight.size > 1 && stride === 1 ? 1 : 0;
    const convolution = { stride, padLeft: halo, padRight: weight.size > 1 ? 1 : 0, accumulate: onto !== undefined };
    const direct = weight.size === 1 && !gather.affine && !gather.activate;
    // where the weight does not fold the upsampling, gathering the rows does it
    const step = weight.upsamples ? 0.5 : stride;
    const rowsOf = (count: number): number =>
      weight.upsamples ? count / 2 + 2 * halo : (count - 1) * stride + weight.size;
    for (const [i, { first, count }] of rowRanges(out.height, out.rowsPerBand).entries()) {
      this.context.signal?.throwIfAborted();
      const gathering = { ...gather, upsample: upsample && !weight.upsamples };
      const input = direct
        ? map.bands[i]!
        : gatherRows(this.#gathering, map, { first: first * step - halo, count: rowsOf(count) }, gathering);
      await backend.convolve(this.scope, { x: input, weight, ...convolution, output: out.bands[i]! });
      if (!direct) this.scope.release(input);
      await gpu.recorder.throttle();
    }
    return out;
  }

  /** A map for the result of a convolution that is `width` wide. */
  #mapOf(weight: Kernel2d, width: number, from: FeatureMap): FeatureMap {
    return allocateMap(this.scope, this.context.scalar, {
      height: (from.height * width) / from.width,
      width,
      channels: weight.out,
      rowsPerBand: this.context.rowsPerBand(width),
    });
  }

  /** GroupNorm over the whole map as one scale and shift a channel, [2, channels] f32. */
  groupNorm(map: FeatureMap, norm: NormWeights): Tensor {
    const { gpu, scalar, groups } = this.context;
    const slicesOf = (band: Tensor): number => Math.ceil(positions(band) / POSITIONS_PER_SLICE);
    const slices = map.bands.reduce((sum, band) => sum + slicesOf(band), 0);
    const partials = this.scope.tensor("group statistics", "f32", [slices, groups, 3]);
    const affine = this.scope.tensor("group affine", "f32", [2, map.channels]);
    let firstSlice = 0;
    const statisticsLanes = reductionLanes(gpu.adapter, POSITIONS_PER_SLICE);
    for (const x of map.bands) {
      gpu.recorder.dispatch(groupNormStatistics, {
        bindings: { x, partials },
        parameters: {
          positions: positions(x),
          channels: map.channels,
          groups,
          slices: slicesOf(x),
          first_slice: firstSlice,
          positions_per_slice: POSITIONS_PER_SLICE,
        },
        overrides: statisticsLanes,
        scalar,
        grid: [Math.ceil(slicesOf(x) / statisticsLanes.ITEMS), groups],
      });
      firstSlice += slicesOf(x);
    }
    const finishLanes = reductionLanes(gpu.adapter, slices);
    gpu.recorder.dispatch(groupNormFinish, {
      bindings: { partials, ...norm, affine },
      parameters: { slices, channels: map.channels, groups, eps: NORM_EPS },
      overrides: finishLanes,
      grid: [Math.ceil(groups / finishLanes.ITEMS)],
    });
    this.scope.release(partials);
    return affine;
  }

  /**
   * x + conv2(SiLU(norm2(conv1(SiLU(norm1(x)))))), with a 1×1 convolution of x where channels change. Overwrites x
   * or frees it.
   */
  async resnet(x: FeatureMap, weights: ResnetWeights): Promise<FeatureMap> {
    const affine1 = this.groupNorm(x, weights.norm1);
    const inner = await this.convolve(x, weights.conv1, { affine: affine1, activate: true });
    const residual = weights.shortcut ? await this.convolve(x, weights.shortcut) : x;
    if (residual !== x) releaseMap(this.scope, x);
    const affine2 = this.groupNorm(inner, weights.norm2);
    await this.convolve(inner, weights.conv2, { affine: affine2, activate: true, onto: residual });
    releaseMap(this.scope, inner);
    this.scope.release(affine1, affine2);
    return residual;
  }

  /** Resnets, then the resampling convolution. Frees x. */
  async level(x: FeatureMap, weights: LevelWeights, resample: "down" | "up"): Promise<FeatureMap> {
    let map = x;
    for (const resnet of weights.resnets) {
      const { channels } = map;
      map = await this.resnet(map, resnet);
      if (map.channels !== channels) this.#trim();
    }
    if (!weights.resample) return map;
    const out = await this.convolve(map, weights.resample, resample === "up" ? { upsample: true } : { stride: 2 });
    releaseMap(this.scope, map);
    this.#trim();
    return out;
  }

  /** Resnet, attention over all positions, resnet. Frees x. */
  async mid(x: FeatureMap, weights: MidWeights): Promise<FeatureMap> {
    const first = await this.resnet(x, weights.first);
    if (weights.attention) await this.#attend(first, weights.attention);
    return this.resnet(first, weights.second);
  }

  /** x += out(softmax(q kᵀ / √channels) v), one head over all positions, without a score matrix. */
  async #attend(x: FeatureMap, weights: AttentionWeights): Promise<void> {
    const { gpu, backend, scalar } = this.context;
    const affine = this.groupNorm(x, weights.norm);
    const tokens = (band: Tensor): number[] => [positions(band), x.channels];
    const qkv: Tensor[][] = [];
    for (const [i, band] of x.bands.entries()) {
      const rows = band.shape[1]!;
      const normed = gatherRows(this.#gathering, x, { first: i * x.rowsPerBand, count: rows }, { affine });
      const outputs = [0, 1, 2].map(() => this.scope.tensor("attention", scalar, tokens(band)));
      const rowsOfTokens = { ...normed, shape: tokens(band) };
      await backend.linear(this.scope, { x: rowsOfTokens, weights: weights.qkv, outputs });
      this.scope.release(normed);
      qkv.push(outputs);
    }
    for (const [i, band] of x.bands.entries()) {
      this.context.signal?.throwIfAborted();
      const attended = this.#attendBand(qkv[i]![0]!, qkv);
      const branch = this.scope.tensor("attention", scalar, tokens(band));
      await backend.linear(this.scope, { x: attended, weights: [weights.out], outputs: [branch] });
      accumulateTensor(gpu.recorder, { target: band, a: 1, x: branch, b: 1 });
      this.scope.release(attended, branch);
      await gpu.recorder.throttle();
    }
    this.scope.release(affine, ...qkv.flat());
  }

  /** One band's queries over the keys and values of all bands. */
  #attendBand(queries: Tensor, qkv: readonly (readonly Tensor[])[]): Tensor {
    const { gpu, scalar } = this.context;
    const [rows, width] = queries.shape as readonly [number, number];
    // lanes along the channels, each with room for 16; with 8 lanes, more queries share the keys that are read
    const lanes = width <= 128 ? 8 : 32;
    const tile = 512 / lanes;
    const state = this.scope.tensor("attention state", "f32", [rows, width + 2]);
    const out = this.scope.tensor("attention", scalar, [rows, width]);
    for (const [i, [, keys, values]] of qkv.entries()) {
      const keyCount = keys!.shape[0]!;
      const workPerRow = 2 * keyCount * width;
      for (const { first, count } of rowRanges(rows, gpu.recorder.meter.rowsPerDispatch(workPerRow, tile)))
        gpu.recorder.dispatch(attentionWide, {
          bindings: { queries, keys: keys!, values: values!, state, out },
          parameters: {
            width,
            query_start: first,
            query_count: count,
            key_count: keyCount,
            first: i === 0 ? 1 : 0,
            last: i === qkv.length - 1 ? 1 : 0,
            scale: 1 / Math.sqrt(width),
          },
          overrides: { LANES_K: lanes },
          scalar,
          grid: [Math.ceil(count / tile)],
          work: count * workPerRow,
        });
    }
    this.scope.release(state);
    return out;
  }

  /** Frees the buffers of maps of another size: at 1024², f16, the decoder takes 1.3 GB at its peak instead of 1.9. */
  #trim(): void {
    this.context.gpu.recorder.flush();
    this.scope.trim();
  }
}

/** Rows times width of a band [1, rows, width, channels]. */
function positions(band: Tensor): number {
  return band.shape[1]! * band.shape[2]!;
}
